/** The completion scripts. Each passes the words of the command line to the program and shows the candidates that it prints. */

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

// The word to complete is $PREFIX: without quotes and without the text behind the cursor.
const ZSH = `#compdef vortex-ingest
_vortex_ingest() {
  local line value what offered=1
  local -a found
  for line in "\${(@f)$("\${(Q)words[1]}" completion --query -- "\${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
    value=\${line%%$'\\t'*} what=\${line#*$'\\t'}
    case $value in
      '') ;;
      :files) [[ $PREFIX == --*=* ]] && compset -P '*='; _files && offered=0 ;;
      :folders) [[ $PREFIX == --*=* ]] && compset -P '*='; _files -/ && offered=0 ;;
      *) found+=("\${value//:/\\\\:}\${what:+:$what}") ;;
    esac
  done
  (( $#found )) && _describe vortex-ingest found && offered=0
  return offered
}
if [ "$funcstack[1]" = _vortex-ingest ]; then _vortex_ingest "$@"; else compdef _vortex_ingest vortex-ingest; fi
`

// The script completes the path in `--flag=path`, because fish does so only for flags that are declared to it.
const FISH = `# fish completion of vortex-ingest
function __vortex_ingest_complete
    set -l current (commandline -ct)
    set -l flag (string match -r -- '^--[a-z-]+=' $current)
    set -l path (string replace -r -- '^--[a-z-]+=' '' $current)
    set -l words (commandline -opc)
    for line in ($words[1] completion --query -- $words[2..-1] $current 2>/dev/null)
        switch $line
            case ':files*'
                string replace -r -- '^' "$flag" (__fish_complete_path "$path")
            case ':folders*'
                string replace -r -- '^' "$flag" (__fish_complete_directories "$path")
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
