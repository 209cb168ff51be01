/** SEED, the Korean 128-bit block cipher (RFC 4269): two blocks' halves, sixteen Feistel rounds. */

import { fromHex } from '../octets.ts'
import type { BlockCipher } from './cbc.ts'

/** S0 and S1 of RFC 4269 §2.2, in order of their argument. */
const S0 = fromHex(
  'a985d6d3541dac255d43181e51fcca632844209de0e2c817a58f037bbb13d2ee708c3fa832ddf674ec950b575c5bbd01' +
    '241c739810ccf2d92ce772839bd186c96050a3eb0db69e4fb75ac678a612afd561c3b441527d8d081f9900190453f7e1' +
    'fd762f27b08b0eaba26e934d697c090abfeff3c58714fe64de2e4b1a06216b6602f5928a0cb37ed07a4796e52680addf' +
    'a13037ae36152238f4a7454c81e9849735cbce3c7111c78975fbdaf8945982c4ff493967c0cfd7b80f8e4223916cdba4' +
    '34f148c26f3d2d40be3ebcc1aaba4e553bdc687f9cd84a5677a0ed46b52b65fae3b9b19f5ef9e6b231ea6d5fe4f0cd88' +
    '163a58d462290733e81b0579906a2a9a',
)
const S1 = fromHex(
  '38e82da6cfdeb3b8af6055c7446f6b5bc36233b529a0e2a7d39111061cbc364bef886ca817c416f4c245e1d63f3d8e98' +
    '284ef63ea5f90ddfd82b667a272ff17242d441c07367ac8bf7ad801fca2caa34d20beee95d9418f857ae08c513cd86b9' +
    'ff7dc131f58a6ab1d120d7022204687107db9d9961bee659dd5190dc9aa3abd0810f471ae3ec8dbf967b5ca2a163234d' +
    'c89e9c3a0c2eba6e9f5af292f34978cc15fb70757f351003646dc674d5b4ea097619fe4012e0bd05fa01f02a5ea95643' +
    '8514899bb0e5487997fc1e82218c1b5f7754b21d254f0046ed5852eb7edac9fd3095653cb6e4bb7c0e50392632846993' +
    '37e724a4cb530a87d94c838fce3b4ab7',
)

/** The extended boxes SS0-SS3 of §2.2: an S-box and the four masks m0-m3 in one look-up each. */
const SS: readonly Int32Array[] = [0, 1, 2, 3].map((position) =>
  Int32Array.from({ length: 256 }, (_, x) => spread(position % 2 === 0 ? S0[x]! : S1[x]!, position)),
)

function spread(value: number, position: number): number {
  const masks = [0xfc, 0xf3, 0xcf, 0x3f]
  let word = 0
  for (let place = 0; place < 4; place++) word |= (value & masks[(place + position) % 4]!) << (8 * place)
  return word
}

const [SS0, SS1, SS2, SS3] = SS as [Int32Array, Int32Array, Int32Array, Int32Array]

function g(x: number): number {
  return SS0[x & 0xff]! ^ SS1[(x >>> 8) & 0xff]! ^ SS2[(x >>> 16) & 0xff]! ^ SS3[x >>> 24]!
}

/** The 32 round keys of §2.3, for encryption order. */
function roundKeys(key: Uint8Array): Int32Array {
  const view = new DataView(key.buffer, key.byteOffset, 16)
  let a = view.getInt32(0)
  let b = view.getInt32(4)
  let c = view.getInt32(8)
  let d = view.getInt32(12)
  let constant = 0x9e3779b9 | 0
  const keys = new Int32Array(32)
  for (let round = 0; round < 16; round++) {
    keys[2 * round] = g((a + c - constant) | 0)
    keys[2 * round + 1] = g((b - d + constant) | 0)
    if (round % 2 === 0) {
      const low = a
      a = (a >>> 8) | (b << 24)
      b = (b >>> 8) | (low << 24)
    } else {
      const high = c
      c = (c << 8) | (d >>> 24)
      d = (d << 8) | (high >>> 24)
    }
    constant = (constant << 1) | (constant >>> 31)
  }
  return keys
}

/** SEED under a key of 16 bytes. */
export function seed(key: Uint8Array): BlockCipher {
  if (key.length !== 16) throw new RangeError('a SEED key has 16 bytes')
  const keys = roundKeys(key)

  function block(data: Uint8Array, at: number, first: number, step: number): void {
    const view = new DataView(data.buffer, data.byteOffset + at, 16)
    let l0 = view.getInt32(0)
    let l1 = view.getInt32(4)
    let r0 = view.getInt32(8)
    let r1 = view.getInt32(12)
    for (let round = first; round >= 0 && round < 16; round += step) {
      let c = r0 ^ keys[2 * round]!
      let d = g(c ^ r1 ^ keys[2 * round + 1]!)
      c = g((c + d) | 0)
      d = g((c + d) | 0)
      c = (c + d) | 0
      const left0 = l0 ^ c
      const left1 = l1 ^ d
      l0 = r0
      l1 = r1
      r0 = left0
      r1 = left1
    }
    view.setInt32(0, r0)
    view.setInt32(4, r1)
    view.setInt32(8, l0)
    view.setInt32(12, l1)
  }

  return {
    encrypt: (data, at) => block(data, at, 0, 1),
    decrypt: (data, at) => block(data, at, 15, -1),
    wipe: () => void keys.fill(0),
    size: 16,
  }
}
