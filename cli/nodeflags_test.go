package cli

import (
	"testing"

	"github.com/urfave/cli/v2"
)

func TestSourceAnswersItsOwnNetworksUnlessTold(t *testing.T) {
	for _, c := range []struct {
		args []string
		addr string
		lan  bool
	}{
		{nil, ":7145", true},
		{[]string{"--offset", "3"}, ":7148", true},
		{[]string{"--http", "127.0.0.1:9000"}, "127.0.0.1:9000", false},
		{[]string{"--http", ":9000"}, ":9000", false},
		{[]string{"--no-discovery"}, "127.0.0.1:7145", false},
	} {
		app := cli.App{
			Flags: nodeFlags(playersNear),
			Action: func(ctx *cli.Context) error {
				cfg, err := stationFlags(ctx)
				nearPlayers(ctx, &cfg)
				if cfg.HTTP.Addr != c.addr || cfg.Near != c.lan {
					t.Errorf("%v: listens on %s, own networks alone %v", c.args, cfg.HTTP.Addr, cfg.Near)
				}
				return err
			},
		}
		if err := app.Run(append([]string{"relay"}, c.args...)); err != nil {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}

func TestTheRouterIsAskedUnlessThePersonSaysNo(t *testing.T) {
	for _, args := range [][]string{{"relay"}, {"relay", "--no-port-mapping"}} {
		app := cli.App{Flags: nodeFlags(playersNear), Action: func(ctx *cli.Context) error {
			cfg, err := stationFlags(ctx)
			if cfg.MapPort != (len(args) == 1) {
				t.Errorf("%v: asked %v", args, cfg.MapPort)
			}
			return err
		}}
		if err := app.Run(args); err != nil {
			t.Error(err)
		}
	}
}

func TestAsManyViewersAsThePersonSays(t *testing.T) {
	for n, args := range map[int][]string{0: {"relay"}, 10_000: {"relay", "--max-viewers", "10000"}} {
		app := cli.App{Flags: nodeFlags(playersNear), Action: func(ctx *cli.Context) error {
			cfg, err := stationFlags(ctx)
			if cfg.MaxViewers != n {
				t.Errorf("%v: %d viewers, want %d", args, cfg.MaxViewers, n)
			}
			return err
		}}
		if err := app.Run(args); err != nil {
			t.Error(err)
		}
	}
}
