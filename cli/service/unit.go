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

// unitRest is in the unit of the Debian package, too (deploy/relay-user.service).
//
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
