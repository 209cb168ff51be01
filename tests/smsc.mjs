// An SMSC that is not ours (npm smpp): what it got is printed, one JSON a line; the number called chooses what it does.
import { readFileSync } from 'node:fs'
import smpp from 'smpp'

const [key, cert] = process.argv.slice(2)
const tell = (told) => console.log(JSON.stringify(told))
const once = new Set()

function text(pdu) {
  const body = pdu.message_payload ?? pdu.short_message
  return body.message
}

function answer(session, pdu) {
  const to = pdu.destination_addr
  const udh = pdu.short_message.udh ? Buffer.concat(pdu.short_message.udh).toString('hex') : ''
  tell({
    command: 'submit_sm', from: pdu.source_addr, to, text: text(pdu), coding: pdu.data_coding, esm: pdu.esm_class, udh,
    payload: pdu.message_payload !== undefined,
  })
  if (to.endsWith('9001')) return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }))
  if (to.endsWith('9002')) return session.destroy()
  if (to.endsWith('9003')) return
  if (to.endsWith('9005') && !once.has(to) && udh.endsWith('02')) {
    once.add(to)
    return session.destroy()
  }
  session.send(pdu.response({ message_id: `id-${pdu.sequence_number}` }))
  if (to.endsWith('9004')) session.unbind(() => tell({ command: 'unbind_resp' }))
}

const server = smpp.createServer(key ? { key: readFileSync(key), cert: readFileSync(cert) } : {}, (session) => {
  session.on('bind_transmitter', (pdu) => {
    const known = pdu.system_id === 'ingam' && pdu.password === 'pa55word'
    tell({ command: 'bind_transmitter', known, version: pdu.interface_version })
    session.send(pdu.response({ command_status: known ? smpp.ESME_ROK : smpp.ESME_RBINDFAIL, system_id: 'smsc' }))
    if (known) session.enquire_link(() => tell({ command: 'enquire_link_resp' }))
  })
  session.on('submit_sm', (pdu) => answer(session, pdu))
  session.on('enquire_link', (pdu) => {
    tell({ command: 'enquire_link' })
    session.send(pdu.response())
  })
  session.on('unbind', (pdu) => {
    tell({ command: 'unbind' })
    session.send(pdu.response())
    session.close()
  })
  session.on('error', () => session.destroy())
})
server.listen(0, '127.0.0.1', () => tell({ port: server.address().port }))
