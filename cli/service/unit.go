package service

import "strings"

// Unit returns the systemd unit for one user (systemd.service(5)).
func Unit(w What) string {
	folder := ""
	if w.Folder != "" {
		// What is gone later is no reason not to start.
		folder = "WorkingDirectory=-" + strings.ReplaceAll(w.Folder, "%", "%%") + "\n"
	}
	command := make([]string, 0, 1+len(w.Args))
	for _, a := range append([]string{w.Program}, w.Args...) {
		command = append(command, quoted(a))
	}
	return marked(`# %MARK%
[Unit]
Description=relay: passes live video channels on

[Service]
ExecStart=` + strings.Join(command, " ") + `
ExecReload=/bin/kill -HUP $MAINPID
` + folder + unitRest)
}

// PackagedUnit is the unit that comes with the program: it takes what the user's list has, once there is one.
const PackagedUnit = `# Passes channels on for one user. To use it:
#
#   mkdir -p ~/.config/relay && editor ~/.config/relay/channels        # a relay:// link on each line
#   systemctl --user enable --now relay
#
# It ends when its user logs out, unless that was said once: loginctl enable-linger

[Unit]
Description=relay: passes live video channels on
ConditionPathExists=%E/relay/channels

[Service]
ExecStart=/usr/bin/relay serve --list %E/relay/channels
ExecReload=/bin/kill -HUP $MAINPID
` + unitRest

// Children are told where to go first when it ends; that takes 2 s at most. A mistake in the arguments
// (2) does not go away by itself; nor is a key that two have (6, 7) anything to come back with.
const unitRest = `Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 6 7
TimeoutStopSec=15
LimitNOFILE=65536
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
`

// quoted returns an argument as systemd reads it in a command: in quotes, with what it would replace
// written twice.
func quoted(arg string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "%", "%%", "$", "$$").Replace(arg) + `"`
}
