package flag

import "strings"

// secretFlags are those whose values are secrets, unless they name a file.
var secretFlags = []string{"key", "token"}

// Conceal overwrites what is secret in a process's own arguments with stars, so that others on the machine
// do not see it as long as the process runs, as in the output of ps: what follows # in a link, ?token=, the password
// in an address, and the values of --key and --token. It returns the arguments as they were. Where the system keeps a copy
// of its own it does nothing: all but Linux.
//
// The arguments must be [os.Args], whose memory it writes to.
func Conceal(args []string) []string {
	kept := make([]string, len(args))
	value := false // what comes next is the value of a secret flag
	for i, a := range args {
		kept[i] = strings.Clone(a)
		blot(password(a))
		from := secretFrom(a)
		if value {
			from = 0
		}
		if value = false; from < len(a) && !strings.HasPrefix(a[from:], "@") {
			blot(a[from:])
			continue
		}
		for _, name := range secretFlags {
			value = value || a == "--"+name || a == "-"+name
		}
	}
	return kept
}

// password is the part of an argument that is an address's password, as in rtsp://user:password@host/path.
func password(a string) string {
	_, rest, ok := strings.Cut(a, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	at := strings.LastIndex(rest, "@")
	if !ok || at < 0 {
		return ""
	}
	_, secret, _ := strings.Cut(rest[:at], ":")
	return secret
}

// secretFrom returns where in an argument a secret begins, its length if it has none.
func secretFrom(a string) int {
	for _, name := range secretFlags {
		if dashes := len(a) - len(strings.TrimLeft(a, "-")); dashes > 0 && strings.HasPrefix(a[dashes:], name+"=") {
			return dashes + len(name) + 1
		}
	}
	from := len(a)
	for _, m := range []string{"#", "?token=", "&token="} {
		if _, after, ok := strings.Cut(a, m); ok {
			from = min(from, len(a)-len(after))
		}
	}
	return from
}
