// Package flag holds what the commands' flags have in common: how a flag is made, which
// variable sets it, the order on the command line, the defaults in config.toml, the values, and
// the messages about wrong ones.
package flag

import (
	"os"
	"strings"

	"github.com/urfave/cli/v2"
)

// envPrefix begins the name of each of our environment variables.
const envPrefix = "RELAY_"

// Env names the variable that sets a flag: --max-children is RELAY_MAX_CHILDREN.
func Env(flag string) []string {
	return []string{envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

// DropEmptyEnv unsets our variables that are empty. A person who writes RELAY_UPLOAD= has set
// nothing, but urfave/cli would count the flag as given.
func DropEmptyEnv() error {
	for _, kv := range os.Environ() {
		if name, value, _ := strings.Cut(kv, "="); strings.HasPrefix(name, envPrefix) && value == "" {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func Text(name, usage string) *cli.StringFlag {
	return &cli.StringFlag{Name: name, Usage: usage, EnvVars: Env(name)}
}

func Number(name, usage, def string) *cli.IntFlag {
	return &cli.IntFlag{Name: name, Usage: usage, EnvVars: Env(name), DefaultText: def}
}

func Toggle(name, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Usage: usage, EnvVars: Env(name), DisableDefaultText: true}
}

func List(name, usage string) *cli.StringSliceFlag {
	return &cli.StringSliceFlag{Name: name, Usage: usage, EnvVars: Env(name)}
}

// Config is the flag for the folder that holds the keys and config.toml.
func Config() cli.Flag {
	return Text("config", "`DIR` with the keys and config.toml (default: relay in your configuration folder)")
}

// Words returns the name of a flag's value, "" if it takes none, and what the flag does.
func Words(f cli.Flag) (value, about string) {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return "", ""
	}
	about = d.GetUsage()
	if before, rest, ok := strings.Cut(about, "`"); ok {
		if name, after, ok := strings.Cut(rest, "`"); ok {
			value, about = name, before+name+after
		}
	}
	if !d.TakesValue() {
		value = ""
	} else if value == "" {
		value = "VALUE"
	}
	return value, about
}
