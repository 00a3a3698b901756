import t from 'tap'
import { isLoopback } from '../../src/http/address.js'

t.test('only this machine is loopback', async t => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]'])
    t.ok(isLoopback(new URL(`http://${host}:1`).hostname), host)
  for (const host of ['127.0.0.1.example.com', 'localhost.example.com', '10.0.0.1', '[::2]', '0.0.0.0', 'example.com'])
    t.notOk(isLoopback(new URL(`http://${host}:1`).hostname), host)
})
