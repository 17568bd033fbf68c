package flag

import (
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/relay/nameplate"
)

// Name is the flag by which a node gets a name.
func Name() cli.Flag {
	return Text("name", "`NAME` of this node for all who draw the channel's tree, \"\" for none (default: this machine's, and only within its own network)")
}

// HideNames is the flag by which a source keeps all nodes from being called by their names.
func HideNames() cli.Flag {
	return Toggle("hide-names", "have nobody in the channel's tree called by a name")
}

// NodeName reads --name: what the user has given, or else this machine's name.
func NodeName(c *cli.Context) (given, machine string, err error) {
	if c.IsSet("name") {
		given = nameplate.Clean(c.String("name"))
		if given == "" && c.String("name") != "" {
			return "", "", fault.Usage("a letter or a number in it is enough", "--name %q cannot be shown", c.String("name"))
		}
		return given, "", nil
	}
	return "", machineName(os.Hostname()), nil
}

// machineName is a host's name without its domain, which says where it is.
func machineName(host string, err error) string {
	host, _, _ = strings.Cut(host, ".")
	if err != nil || strings.EqualFold(host, "localhost") {
		return ""
	}
	return nameplate.Clean(host)
}
