/**
 * Forms that end with a certificate: `<form data-certificate-window data-challenge="…">` (W3 ③, certificate login).
 *
 * Submitting asks the server for a challenge, opens the certificate window, puts the answer into the hidden fields
 * `nonce`, `signed` and `sealed`, and then really submits. Where it ends otherwise, the reason stands beside the button.
 */

import { words } from '../generated/page_words.ts'
import { requestChallenge } from './challenge_request.ts'
import { failedBy, openWindow, type Outcome } from './frame.ts'

/** Takes charge of every such form of the page. */
export function attachCertificateWindows(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>('form[data-certificate-window]')) attach(form)
}

function attach(form: HTMLFormElement): void {
  const note = noteOf(form)
  let open = false
  let filled = false
  form.addEventListener(
    'submit',
    (event) => {
      if (filled) return
      // Before anything else on the page sees it: to them a submission that opens a window is none.
      event.preventDefault()
      event.stopImmediatePropagation()
      if (open) return
      open = true
      note.textContent = ''
      void answered(form).then((outcome) => {
        open = false
        if (outcome.kind !== 'signed') return tell(note, outcome)
        fill(form, { nonce: outcome.nonce, signed: outcome.signed, sealed: outcome.sealed ?? '' })
        filled = true
        form.requestSubmit(event.submitter)
      })
    },
    { capture: true },
  )
  // Back in the browser shows the page as it was left: what was signed then is of no use any more.
  window.addEventListener('pageshow', () => {
    filled = false
    fill(form, { nonce: '', signed: '', sealed: '' })
  })
}

async function answered(form: HTMLFormElement): Promise<Outcome> {
  try {
    const challenge = await requestChallenge(form)
    const texts = { title: say('title'), loading: say('loading') }
    return await openWindow({ vault: vaultOrigin(form), challenge, ...texts, renew: () => requestChallenge(form) })
  } catch (failure) {
    return failedBy(failure)
  }
}

/** From our own page, which the server wrote: `data-vault` of the form or of `<html>`. */
function vaultOrigin(form: HTMLFormElement): string {
  return form.dataset['vault'] ?? document.documentElement.dataset['vault'] ?? ''
}

function fill(form: HTMLFormElement, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements.namedItem(name)
    if (field instanceof HTMLInputElement) field.value = value
  }
}

/** The place beside the button; there from the start, so that a screen reader tells what is written into it. */
function noteOf(form: HTMLFormElement): HTMLElement {
  const made = document.createElement('p')
  made.className = 'certificate-window-note'
  made.setAttribute('role', 'status')
  const submit = form.querySelector('button[type=submit], button:not([type])')
  const row = submit?.parentElement === form ? submit : (submit?.parentElement ?? null)
  if (row === null) form.append(made)
  else row.after(made)
  return made
}

function tell(note: HTMLElement, outcome: Exclude<Outcome, { kind: 'signed' }>): void {
  note.classList.toggle('failed', outcome.kind === 'failed')
  note.textContent = outcome.kind === 'cancelled' ? say('cancelled') : outcome.sentence || sentence(outcome.code)
}

function table(): Record<string, string> {
  return words[document.documentElement.lang === 'en' ? 'en' : 'ko']
}

function say(name: string): string {
  return table()[`vault.${name}`] ?? name
}

function sentence(code: string): string {
  return table()[`vault.why-${code}`] ?? table()[`refusal.${code}`] ?? table()['refusal.outage'] ?? code
}
