package cli

import (
	"os"
	"strings"

	"github.com/urfave/cli/v2"
)

// envPrefix begins the name of each of our environment variables.
const envPrefix = "RELAY_"

// env names the variable that sets a flag: --max-children is RELAY_MAX_CHILDREN.
func env(flag string) []string {
	return []string{envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

// dropEmptyEnv unsets our variables that are empty. Whoever writes RELAY_UPLOAD= has
// set nothing, but to urfave/cli the flag is then given.
func dropEmptyEnv() error {
	for _, kv := range os.Environ() {
		if name, value, _ := strings.Cut(kv, "="); strings.HasPrefix(name, envPrefix) && value == "" {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func text(name, usage string) *cli.StringFlag {
	return &cli.StringFlag{Name: name, Usage: usage, EnvVars: env(name)}
}

func number(name, usage, def string) *cli.IntFlag {
	return &cli.IntFlag{Name: name, Usage: usage, EnvVars: env(name), DefaultText: def}
}

func toggle(name, usage string) *cli.BoolFlag {
	return &cli.BoolFlag{Name: name, Usage: usage, EnvVars: env(name), DisableDefaultText: true}
}

func list(name, usage string) *cli.StringSliceFlag {
	return &cli.StringSliceFlag{Name: name, Usage: usage, EnvVars: env(name)}
}

// configFlag is the flag of the folder that holds the keys and config.toml.
func configFlag() cli.Flag {
	return text("config", "`DIR` with the keys and config.toml (default: relay in your configuration folder)")
}
