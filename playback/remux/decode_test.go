package remux

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"relay/ingest/flv"
)

// TestADecoderTakesWhatAReaderWhoJoinsGets has ffmpeg decode what there is from a few moments on: it
// has to find every frame, and nothing to complain of. It needs the real program; without it it
// fails.
func TestADecoderTakesWhatAReaderWhoJoinsGets(t *testing.T) {
	_, tags := clip(t, "demo.flv")
	all := batches(rand.New(rand.NewPCG(7, 7)), tags)
	for i, b := range all { // no decoder begins at other places
		first := slices.Collect(b.Tags())
		all[i].Start = b.Start && flv.Classify(first[0]).Key
	}
	for container, c := range joinables {
		shared := c.make()
		var heads, outs [][]byte
		for _, b := range all {
			out, err := shared.Convert(b)
			if err != nil {
				t.Fatal(err)
			}
			head, err := shared.Join(true)
			if err != nil {
				t.Fatal(err)
			}
			outs, heads = append(outs, joined(out)), append(heads, joined(head))
		}
		for i := len(all) / 9; i < len(all)-20; i += len(all) / 5 {
			path := filepath.Join(t.TempDir(), "joined")
			b := slices.Concat(heads[i], slices.Concat(outs[i+1:]...))
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			var pictures, sounds int
			for _, f := range c.read().next(t, b) {
				if f.video {
					pictures++
				} else {
					sounds++
				}
			}
			for track, want := range map[string]int{"v:0": pictures, "a:0": sounds} {
				cmd := exec.CommandContext(t.Context(), "ffmpeg", "-nostdin", "-v", "warning", "-threads", "1", "-copyts", "-i", path,
					"-map", "0:"+track, "-fps_mode", "passthrough", "-f", "framecrc", "-")
				var said, found bytes.Buffer
				cmd.Stdout, cmd.Stderr = &found, &said
				err := cmd.Run()
				got := strings.Count("\n"+found.String(), "\n0,")
				if err != nil || said.Len() > 0 || got != want {
					t.Errorf("%s, joined behind batch %d of %d: %d frames of %s, want %d: %v\n%s", container, i, len(all), got, track, want, err, fmt.Sprintf("%.600s", said.String()))
				}
			}
		}
	}
}
