package words

import "strings"

// Shown returns the warning that others on this machine may see a secret, because the flag of that name
// stands on the command line with it.
func Shown(flag string) Warning {
	return Warning{
		warnShown,
		"the secret behind --" + flag + " is in the history of your shell, and others on this machine may have seen it",
		"--" + flag + " @FILE reads it from a file; RELAY_" + strings.ToUpper(flag) + " in the environment and config.toml hide it too",
	}
}
