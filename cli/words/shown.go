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

// PasswordSeen returns the warning that others on this machine can see a password in an address, which is given to
// ffmpeg.
func PasswordSeen() Warning {
	return Warning{
		warnShown,
		"the password in the address is on ffmpeg's command line, where others on this machine can see it",
		"on a machine that others use, have a password for this alone at the camera or the server",
	}
}
