# Completion of relay's commands for fish:
#
#   relay completion fish > ~/.config/fish/completions/relay.fish

function __relay_candidates
    set -l before (commandline -opc)
    set -l cur (commandline -ct)
    for line in (command relay __complete -- $before[2..-1] "$cur" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$cur"
            case :dirs
                __fish_complete_directories "$cur"
            case '*'
                echo $line
        end
    end
end

complete -c relay -f -a '(__relay_candidates)'
