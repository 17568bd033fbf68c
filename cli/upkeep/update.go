package upkeep

import (
	"encoding/json"

	"github.com/urfave/cli/v2"

	"relay/cli/fault"
	"relay/cli/flag"
	"relay/cli/term"
	"relay/cli/update"
	"relay/cli/words"
)

// Update is the command that tells of newer releases. own is this one's version.
func Update(t *term.Terminal, own string) *cli.Command {
	return &cli.Command{
		Name:      "update",
		Usage:     "tell whether there is a newer release",
		UsageText: "relay update --check [--from URL]",
		Description: `Asks for the newest release, and says whether this one is older. It neither fetches nor
installs anything: that is for whatever has installed relay. The other side learns
nothing of this machine but its address.`,
		Flags: []cli.Flag{
			flag.Toggle("check", "ask for the newest release"),
			flag.Text("from", "`URL` of the newest release's latest.json, by https"),
			flag.Toggle("json", "write the answer as JSON"),
		},
		Action: func(c *cli.Context) error {
			switch {
			case c.NArg() > 0:
				return fault.Usage(words.UpdateCheckHint, "relay update takes no arguments")
			case !c.Bool("check"):
				return fault.Usage(words.UpdateCheckHint, words.UpdateOnlyTells)
			}
			latest, err := update.Check(c.Context, c.String("from"))
			if err != nil {
				return err
			}
			newer := update.Newer(latest.Version, own)
			if c.Bool("json") {
				return json.NewEncoder(t.Out).Encode(struct {
					Version string `json:"version"`
					Latest  string `json:"latest"`
					Newer   bool   `json:"newer"`
					Page    string `json:"page,omitempty"`
				}{own, latest.Version, newer > 0, latest.Page})
			}
			switch {
			case newer > 0:
				t.Say(words.UpdateNewer, latest.Version, own)
				if latest.Page != "" {
					t.Say(words.UpdateGet, latest.Page)
				}
				t.Result(latest.Version)
			case newer < 0:
				t.Say(words.UpdateAhead, own, latest.Version)
			default:
				t.Say(words.UpdateCurrent, own)
			}
			return nil
		},
	}
}
