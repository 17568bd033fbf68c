//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"relay/cli/e2e/internal/program"
)

// fakePlayer records its arguments and ends at once.
const fakePlayer = "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$0.new\" && mv \"$0.new\" \"$0.args\"\n"

// TestPlayerIsStartedOnWhatItPlaysBest looks at what relay watch --player starts.
func TestPlayerIsStartedOnWhatItPlaysBest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		publish func(*testing.T, *source)
		started map[string][]string // what a player is given: flags, and how the address ends
	}{
		{"H.264", byFFmpeg(picture360, tone, withB, aac), map[string][]string{
			"mpv":    {"--profile=low-latency", ".flv"},
			"vlc":    {"--network-caching=300", ".ts"},
			"ffplay": {"nobuffer", ".flv"},
		}},
		{"HEVC", byClip(0, picture180, toneFast, hevcCodec, aac), map[string][]string{
			"mpv":    {"--profile=low-latency", ".ts"},
			"vlc":    {"--network-caching=300", ".ts"},
			"ffplay": {"-analyzeduration", ".ts"},
		}},
		{"AV1", byClip(0, picture180, toneFast, av1Codec, opusCodec), map[string][]string{
			"mpv": {"--profile=low-latency", ".mp4"},
		}},
		{"AAC alone", byFFmpeg(tone, aac), map[string][]string{
			"vlc": {"--network-caching=300", ".flv"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			waiting.Take(t)
			w := newWorld(t)
			src := w.source("--max-children", "8")
			c.publish(t, src)
			play(t, "viewer", src.url).gets(t, 50)
			for name, want := range c.started {
				bin := t.TempDir()
				path := filepath.Join(bin, name)
				if err := os.WriteFile(path, []byte(fakePlayer), 0o755); err != nil {
					t.Fatal(err)
				}
				cmd := program.Command(relayBin, "watch", src.link, "--listen", loopback, "--http", loopback, "--config", w.config, "--player", name)
				cmd.Env = append(cmd.Env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
				p := startCommand(t, "relay watch --player "+name, cmd)
				url := p.find(t, &p.out, `(?m)^(http://\S+)\n`)
				p.find(t, &p.err, `The player has ended`)
				b, err := os.ReadFile(path + ".args")
				if err != nil {
					t.Fatal(err)
				}
				args := strings.Fields(string(b))
				if got, best := args[len(args)-1], outputAt(url, want[len(want)-1]); got != best {
					t.Errorf("%s is started on %s, not %s", name, got, best)
				}
				if !slices.Contains(args, want[0]) {
					t.Errorf("%s is started with %q", name, args)
				}
				// The node goes on for the viewers and children that it feeds.
				play(t, "viewer after the player", url).gets(t, 50)
				p.interrupt(t)
			}
		})
	}
}
