/** What each shell runs when a person asks for more; all of them hand the words to the program and show its answer. */

const BASH = `# bash completion of vortex-ingest
_vortex_ingest() {
  local line current="\${COMP_WORDS[COMP_CWORD]}"
  [[ $current == '=' ]] && current=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files*) compopt -o filenames; mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current") ;;
      :folders*) compopt -o filenames; mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$current") ;;
      --*=*) COMPREPLY+=("\${line#*=}"); COMPREPLY[-1]="\${COMPREPLY[-1]%%$'\\t'*}" ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" completion --query -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _vortex_ingest vortex-ingest
`

const ZSH = `#compdef vortex-ingest
_vortex_ingest() {
  local line value what
  local -a found
  for line in "\${(@f)$("\${words[1]}" completion --query -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    value=\${line%%$'\\t'*} what=\${line#*$'\\t'}
    case $value in
      '') ;;
      :files) _files ;;
      :folders) _files -/ ;;
      *) found+=("\${value//:/\\\\:}:$what") ;;
    esac
  done
  (( $#found )) && _describe vortex-ingest found
}
if [ "$funcstack[1]" = _vortex-ingest ]; then _vortex_ingest "$@"; else compdef _vortex_ingest vortex-ingest; fi
`

const FISH = `# fish completion of vortex-ingest
function __vortex_ingest_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] completion --query -- $words[2..-1] 2>/dev/null)
        switch $line
            case ':files*'
                __fish_complete_path (commandline -ct)
            case ':folders*'
                __fish_complete_directories (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c vortex-ingest -f -a '(__vortex_ingest_complete)'
`

export const SCRIPTS: ReadonlyMap<string, string> = new Map([
  ['bash', BASH],
  ['zsh', ZSH],
  ['fish', FISH],
])
