// The software keys of this browser: made by WebCrypto, never to be exported, kept in the browser's own storage (E8).

import { type DBSchema, openDB } from 'idb';
import { Refusal } from '../pure/failure.ts';
import { toBase64url } from '../pure/webauthn.ts';

interface Shape extends DBSchema {
  keys: { key: string; value: CryptoKey };
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' };

/** A key that was made now: its name, its public point, and what signs with it. */
export interface MadeKey {
  readonly id: string;
  readonly point: string;
  readonly key: CryptoKey;
}

/** Makes a key and stores it; it is read back before anything is signed with it. */
export async function makeKey(): Promise<MadeKey> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const id = toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', point)));
  const keys = await storage();
  try {
    await keys.put('keys', pair.privateKey, id);
    const key = await keys.get('keys', id);
    if (key === undefined) throw new Refusal('device-unknown');
    return { id, point: toBase64url(point), key };
  } finally {
    keys.close();
  }
}

/** The key of a name. Throws Refusal `device-unknown` where this browser has none of it. */
export async function keyOf(id: string): Promise<CryptoKey> {
  const keys = await storage();
  try {
    const key = await keys.get('keys', id);
    if (key === undefined) throw new Refusal('device-unknown');
    return key;
  } finally {
    keys.close();
  }
}

/** ECDSA with SHA-256 over the bytes: r and s, base64url. */
export async function signWith(key: CryptoKey, bytes: Uint8Array): Promise<string> {
  return toBase64url(new Uint8Array(await crypto.subtle.sign(SIGNING, key, new Uint8Array(bytes))));
}

function storage() {
  return openDB<Shape>('ingam-device', 1, { upgrade: (database) => void database.createObjectStore('keys') });
}
