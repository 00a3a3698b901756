/** Defines `serve` with its flags and help. The command's implementation is loaded when it runs. */

import type { Command } from 'commander'
import { MAX_BODY_BYTES } from '../config/serve.js'
import { examples } from './examples.js'
import { byteCount, flag, formatFlag, regionFlag, rolePolicyFlag, serverContractFlag } from './flags.js'
import { lazy } from './lazy.js'
import type { Run } from './run.js'

export function addServe(program: Command, run: Run): void {
  program
    .command('serve')
    .summary('take envelopes over HTTP')
    .description(
      'An ingest server: POST /api/ingest takes what path A sends, read routes show what is stored. Writers send the ' +
        'token of INGEST_BEARER_TOKEN; with --state, operators that of VORTEX_INGEST_OPERATOR_TOKEN. It prints where it ' +
        'listens, logs a line of JSON a request on stderr, and on SIGTERM or Ctrl-C finishes what is under way.',
    )
    .addOption(
      flag('--listen <address>', 'PORT, HOST:PORT or [::1]:PORT; port 0 takes a free one').default('127.0.0.1:0'),
    )
    .addOption(
      flag('--store <dir|dsn>', 'where envelopes go: a folder (embedded) or a Postgres').default('.vortex-ingest'),
    )
    .addOption(serverContractFlag())
    .addOption(
      flag('--max-body <size>', 'largest body taken, also unpacked')
        .argParser(byteCount)
        .default(MAX_BODY_BYTES, '64MiB'),
    )
    .addOption(flag('--token-file <file>', 'read the token from this file in place of INGEST_BEARER_TOKEN'))
    .addOption(flag('--state <place>', 'what operators see and change, and where a failing store is noted'))
    .addOption(flag('--insecure-no-auth', 'take envelopes from anybody: only on a loopback address, to try things out'))
    .addOption(flag('--insecure-local', 'no TLS and any role: only for a Postgres on this machine, to try things out'))
    .addOption(regionFlag())
    .addOption(rolePolicyFlag())
    .addOption(formatFlag())
    .addHelpText(
      'after',
      examples([
        ['serve --insecure-no-auth', 'into .vortex-ingest, on a free port of this machine'],
        ['serve --contract 1', 'answer as a server of contract version 1, to test older clients'],
        ['serve --listen 0.0.0.0:8080 --store postgres://bench_ingest@db.example.com/bench', ''],
      ]),
    )
    .action(run(lazy(async () => (await import('./serve.js')).serve)))
}
