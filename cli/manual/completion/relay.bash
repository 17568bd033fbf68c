# Completion of relay's commands for bash. In ~/.bashrc:
#
#   source <(relay completion bash)

_relay() {
	local word about name cur="${COMP_WORDS[COMP_CWORD]}"
	[ "$cur" = "=" ] && cur=""
	COMPREPLY=()
	while IFS=$'\t' read -r word about; do
		case $word in
		:files | :dirs)
			compopt -o filenames 2>/dev/null
			while IFS= read -r name; do
				COMPREPLY+=("$name")
			done < <(if [ "$word" = :files ]; then compgen -f -- "$cur"; else compgen -d -- "$cur"; fi)
			;;
		*) COMPREPLY+=("$word") ;;
		esac
	done < <("$1" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

complete -F _relay relay
