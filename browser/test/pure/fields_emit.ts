/**
 * Not a test: what the browser's table says of texts that Python hands in. tests/customer/test_fields_twin.py runs it
 * and compares verdict for verdict.
 *
 * Reads [{rule, text, today}] from standard input and prints [{value, error, warning}].
 */

import { readFileSync } from 'node:fs'
import { CERT_PASSWORD, check } from '../../src/pure/fields.ts'
import { brokenRules } from '../../src/pure/npki/cert_password.ts'

const cases = JSON.parse(readFileSync(0, 'utf8')) as { rule: string; text: string; today: string }[]
const verdicts = cases.map(({ rule, text, today }) => check(rule, text, today))
const all = ['가', '', "'", 'aaa'].flatMap(brokenRules)
process.stdout.write(JSON.stringify({ verdicts, checklist: CERT_PASSWORD, broken: [...new Set(all)] }))
