import t from 'tap'
import { commitUrl, repoWebUrl } from '../../src/commit/repo-url.js'

t.test('a remote becomes the address of its web page', async t => {
  const pages = {
    'git@github.com:owner/repo.git': 'https://github.com/owner/repo',
    'github.com:owner/repo': 'https://github.com/owner/repo',
    'git@host:/owner/repo.git/': 'https://host/owner/repo',
    'user:token@host.example:owner/repo.git': 'https://host.example/owner/repo',
    'ssh://git@host:22/owner/repo.git': 'https://host/owner/repo',
    'ssh://git@HOST.example:2222/~me/repo.git': 'https://host.example/~me/repo',
    'git+ssh://git@host/owner/repo.git': 'https://host/owner/repo',
    'ssh://git@ssh.github.com:443/owner/repo.git': 'https://github.com/owner/repo',
    'git@altssh.gitlab.com:owner/repo.git': 'https://gitlab.com/owner/repo',
    'git://host:9418/owner/repo.git': 'https://host/owner/repo',
    'https://user:token@host/owner/repo.git': 'https://host/owner/repo',
    'https://x-access-token:ghs_secret@github.com/owner/repo': 'https://github.com/owner/repo',
    'https://github.com/owner/repo/': 'https://github.com/owner/repo',
    'https://github.com/owner/repo.git/': 'https://github.com/owner/repo',
    'HTTPS://GitHub.com/Owner/Repo': 'https://github.com/Owner/Repo',
    'http://host/owner/repo.git': 'https://host/owner/repo',
    'https://host:8443/group/sub/group/repo.git': 'https://host:8443/group/sub/group/repo',
    'https://host/owner/repo.git?token=secret#x': 'https://host/owner/repo',
    'https://host//owner//repo': 'https://host/owner/repo',
    'https://host/owner/my.github.io': 'https://host/owner/my.github.io',
    ' https://host/owner/repo\n': 'https://host/owner/repo',
  }
  for (const [remote, page] of Object.entries(pages)) t.equal(repoWebUrl(remote), page, remote)
})

t.test('a remote without a web page gives no address', async t => {
  const others = [
    '',
    'origin',
    '/srv/git/repo.git',
    '../repo',
    './host:repo',
    'C:/code/repo',
    'C:\\code\\repo',
    'file:///srv/git/repo.git',
    'ftp://host/owner/repo',
    'javascript://host/%0aalert(1)',
    'https://',
    'https://host',
    'https://host/',
    'https://host/.git',
    'git@host:',
    'git@host:..',
    'ssh://git@host:owner/repo.git',
    'https://host/owner/re po',
    'https://host/owner/repo\u001b[31m',
    'https://host/owner\nhttps://evil/repo',
    'evil.example?x:owner/repo',
  ]
  for (const remote of others) t.equal(repoWebUrl(remote), undefined, JSON.stringify(remote))
})

t.test('converting an address twice does not change it', async t => {
  const page = repoWebUrl('git@host.example:öwner/repo.git') ?? ''
  t.equal(page, 'https://host.example/%C3%B6wner/repo')
  t.equal(repoWebUrl(page), page)
})

t.test('a commit has a page below its repository', async t => {
  t.equal(commitUrl('https://github.com/owner/repo', 'abc'), 'https://github.com/owner/repo/commit/abc')
})
