#compdef relay
# Completion of relay's commands for zsh. In ~/.zshrc, after compinit:
#
#   source <(relay completion zsh)

_relay() {
	local word about
	local -a found
	while IFS=$'\t' read -r word about; do
		case $word in
		:files) _files ;;
		:dirs) _files -/ ;;
		*) found+=("${word//:/\\:}${about:+:$about}") ;;
		esac
	done < <("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
	(( $#found )) && _describe relay found
}

if [ "$funcstack[1]" = "_relay" ]; then
	_relay "$@" # loaded from $fpath
else
	compdef _relay relay
fi
