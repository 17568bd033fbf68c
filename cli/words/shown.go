package words

import "strings"

// Shown returns the warning that others on this machine see a secret, because the flag of that name
// stands on the command line with it.
func Shown(flag string) Warning {
	return Warning{
		warnShown,
		"others on this machine can see the secret behind --" + flag + ", as in the output of ps",
		"--" + flag + " @FILE reads it from a file; RELAY_" + strings.ToUpper(flag) + " in the environment and config.toml hide it too",
	}
}
