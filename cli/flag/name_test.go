package flag

import (
	"errors"
	"os"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestANodesName(t *testing.T) {
	host, err := os.Hostname()
	machine := machineName(host, err)
	for _, c := range []struct {
		args           []string
		given, machine string
		ok             bool
	}{
		{nil, "", machine, true},
		{[]string{"--name", " my  kitchen\n"}, "my kitchen", "", true},
		{[]string{"--name", ""}, "", "", true},
		{[]string{"--name", "\u202e"}, "", "", false},
		{[]string{"--name", "..."}, "", "", false},
	} {
		app := &cli.App{Flags: []cli.Flag{Name()}, Action: func(ctx *cli.Context) error {
			given, machine, err := NodeName(ctx)
			if given != c.given || machine != c.machine || (err == nil) != c.ok {
				t.Errorf("%q: %q, %q, %v", c.args, given, machine, err)
			}
			return nil
		}}
		if err := app.Run(append([]string{"relay"}, c.args...)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAMachinesNameIsThatOfItsHostAlone(t *testing.T) {
	for host, want := range map[string]string{
		"laptop": "laptop", "Anna’s-MacBook.local": "Anna’s-MacBook", "vm.example.org": "vm", "localhost": "", "LOCALHOST.localdomain": "", "": "", "\x1b[2J": "[2J",
	} {
		if got := machineName(host, nil); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
	if got := machineName("laptop", errors.New("no")); got != "" {
		t.Errorf("%q of a machine that does not tell", got)
	}
}
