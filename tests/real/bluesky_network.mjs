// A whole Bluesky network of the real parts, on loopback: PLC, PDS, AppView. Prints its addresses as one line of
// JSON when it is ready, and ends with its standard input.
//
//   node bluesky_network.mjs NODE_MODULES        with DB_POSTGRES_URL, DB_POSTGRES_SCHEMA and REDIS_HOST

import net from 'node:net'
import { pathToFileURL } from 'node:url'
import { createRequire } from 'node:module'

// The servers listen on all interfaces by themselves.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...args) {
  if (typeof args[0] === 'number') {
    const rest = args.slice(1).filter((arg) => typeof arg !== 'string')
    return listen.call(this, { port: args[0], host: '127.0.0.1' }, ...rest.filter((arg) => typeof arg === 'function'))
  }
  if (args[0] && typeof args[0] === 'object' && 'port' in args[0]) args[0].host = '127.0.0.1'
  return listen.apply(this, args)
}

const require = createRequire(`${process.argv[2]}/`)
const { TestNetwork } = await import(pathToFileURL(require.resolve('@atproto/dev-env')).href)
const network = await TestNetwork.create({ pds: { hostname: 'localhost' }, bsky: {} })
const lexicon = await import(pathToFileURL(require.resolve('@atproto/lex-data')).href)

console.log(JSON.stringify({ pds: network.pds.url, appview: network.bsky.ctx.cfg.serverDid, admin: 'admin-pass' }))

// Each line asks: ["process"] waits until the AppView has read everything, ["graphemes", text, …] counts as the PDS does.
let rest = ''
process.stdin.setEncoding('utf8')
for await (const part of process.stdin) {
  rest += part
  for (let end; (end = rest.indexOf('\n')) >= 0; rest = rest.slice(end + 1)) {
    const [what, ...texts] = JSON.parse(rest.slice(0, end))
    if (what === 'process') await network.processAll()
    console.log(JSON.stringify(texts.map((text) => lexicon.graphemeLen(text))))
  }
}
process.exit(0)
