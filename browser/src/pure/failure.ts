/**
 * The failure that a person may be told: one permanent kebab-case code per cause, the same codes as in Python.
 *
 * Facts are placeholders of the text of the code. No key bytes, passwords, R or personal data are ever put there.
 */

export type Facts = Readonly<Record<string, string | number>>

export class Refusal extends Error {
  readonly code: string
  readonly facts: Facts

  constructor(code: string, facts: Facts = {}) {
    super(code)
    this.name = 'Refusal'
    this.code = code
    this.facts = facts
  }
}

/** The code of a refusal; anything else is a defect of ours and is thrown on. */
export function refusalCode(failure: unknown): string {
  if (failure instanceof Refusal) return failure.code
  throw failure
}
