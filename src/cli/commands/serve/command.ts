/** Defines `serve` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { MAX_BODY_BYTES } from './config.js'
import { INSECURE_LOCAL, REGION, ROLE_POLICY } from '../../../targets/postgres/options.js'
import { byteCount, declaredFlag, examples, flag, formatFlag, serverContractFlag } from '../../options/flags.js'
import { lazy, type Run } from '../../run.js'

export function addServe(program: Command, run: Run): void {
  program
    .command('serve')
    .summary('run an ingest server')
    .description(
      'POST /api/ingest accepts envelopes from push --server; other routes read stored rows. Writers authenticate with the ' +
        'token of INGEST_BEARER_TOKEN, operators (with --state) with that of VORTEX_INGEST_OPERATOR_TOKEN. Prints its ' +
        'address, logs one line of JSON per request on stderr, and finishes open requests on SIGTERM or Ctrl-C.',
    )
    .addOption(
      flag('--listen <address>', 'PORT, HOST:PORT or [::1]:PORT; port 0 selects a free port').default('127.0.0.1:0'),
    )
    .addOption(
      flag('--store <dir|dsn>', 'database for the measurements: a folder (embedded) or a Postgres DSN').default(
        '.vortex-ingest',
      ),
    )
    .addOption(serverContractFlag())
    .addOption(
      flag('--max-body <size>', 'maximum size of a request body, also after decompression')
        .argParser(byteCount)
        .default(MAX_BODY_BYTES, '64MiB'),
    )
    .addOption(flag('--token-file <file>', 'read the token from this file instead of INGEST_BEARER_TOKEN'))
    .addOption(flag('--state <place>', 'state for the operator API; its journal records failures of the store'))
    .addOption(
      flag('--insecure-no-auth', 'accept envelopes without a token; only on a loopback address, for trying things out'),
    )
    .addOption(declaredFlag('insecureLocal', INSECURE_LOCAL))
    .addOption(declaredFlag('region', REGION))
    .addOption(declaredFlag('rolePolicy', ROLE_POLICY))
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['serve --insecure-no-auth', 'into .vortex-ingest, on a free port of this machine'],
        ['serve --contract 1', 'answer as a server of contract version 1, to test older clients'],
        ['serve --listen 0.0.0.0:8080 --store postgres://bench_ingest@db.example.com/bench', ''],
      ]),
    )
    .action(run(lazy(async () => (await import('./action.js')).serve)))
}
