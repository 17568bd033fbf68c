package playback

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest"
	"relay/ingest/flv"
	"relay/ingest/ingesttest"
	"relay/relay/stream"
)

// demoClip returns the tags of the bundled clip: 16 s of H.264 with a key frame every 2 s, AAC.
func demoClip(t *testing.T) (tags []flv.Tag) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "cli", "demo", "demo.flv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := flv.NewReader(f); ; {
		tag, err := r.Next()
		if errors.Is(err, io.EOF) {
			return tags
		} else if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag)
	}
}

// watched is what one output gave one reader.
type watched struct {
	suffix string
	late   bool
	bytes.Buffer
}

func (w *watched) String() string {
	if w.late {
		return w.suffix + " joined late"
	}
	return w.suffix
}

// watch plays an encoder at its own pace, in virtual time, to readers that are there from the
// beginning, and to others that come at a moment.
func watch(t *testing.T, e ingesttest.Encoder, late time.Duration) (all []*watched, status ingest.Status) {
	synctest.Test(t, func(t *testing.T) {
		ring := stream.NewRing(stream.Limits{})
		key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
		in := ingest.NewInput(stream.NewWriter(ring, key, stream.Epoch{Ms: 1}, time.Now()), nil)
		session, err := in.Open()
		if err != nil {
			t.Fatal(err)
		}
		var readers sync.WaitGroup
		channel := NewChannel(stream.ChannelID{1}, ring, nil)
		server := NewServer(Config{Channels: list(channel)})
		hls := &routes{server, t.Context()}
		read := func(late bool) {
			w := &watched{suffix: "hls", late: late}
			all = append(all, w)
			readers.Go(func() { w.play(t, hls, channel) })
			for _, suffix := range []string{".flv", ".mp4", ".ts"} {
				w := &watched{suffix: suffix, late: late}
				all = append(all, w)
				readers.Go(func() {
					if err := (Recording{Ring: ring, Start: GOP, Suffix: suffix}).Run(t.Context(), w); err != nil {
						t.Errorf("%s, %s: %v", e.Name, w, err)
					}
				})
			}
		}
		read(false)
		began, joined := time.Now(), false
		for _, tag := range e.Tags {
			time.Sleep(time.Until(began.Add(time.Duration(tag.Timestamp()) * time.Millisecond)))
			if !joined && time.Since(began) >= late {
				synctest.Wait()
				read(true)
				joined = true
				synctest.Wait()
			}
			if err := session.Write(slices.Clone(tag)); err != nil {
				t.Fatal(err)
			}
		}
		session.Close()
		synctest.Wait()
		server.Finish(t.Context())
		ring.Close()
		readers.Wait()
		status = in.Status()
	})
	return all, status
}

// play is a player of HLS, who takes each segment once and asks for the next before it needs it.
func (w *watched) play(t *testing.T, s *routes, c *Channel) {
	folder := hlsPrefix + c.id.Short() + "/"
	get := func(name string) []byte {
		r := httptest.NewRecorder()
		s.hls(r, httptest.NewRequestWithContext(t.Context(), "GET", folder+name, nil))
		if r.Code != http.StatusOK {
			t.Errorf("%s: %s: %d %s", w, name, r.Code, r.Body)
		}
		return r.Body.Bytes()
	}
	begun, had := "", make(map[string]bool)
	for !t.Failed() {
		list, init := string(get("index.m3u8")), ""
		for line := range strings.Lines(list) {
			line = strings.TrimSpace(line)
			if uri, ok := strings.CutPrefix(line, "#EXT-X-MAP:URI="); ok {
				init = strings.Trim(uri, `"`)
			} else if line != "" && line[0] != '#' && !had[line] {
				had[line] = true
				if init != begun {
					w.Write(get(init))
				}
				begun = init
				w.Write(get(line))
			}
		}
		if strings.Contains(list, "#EXT-X-ENDLIST") {
			return
		}
		time.Sleep(time.Second)
	}
}

// frames has ffprobe decode a file, and returns how many pictures and frames of sound there are,
// and what the decoders had to say.
func frames(t *testing.T, path string) (pictures, sounds int, said string) {
	t.Helper()
	var complaints bytes.Buffer
	cmd := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_type,nb_read_frames", "-of", "json", path)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Sprintf("%v: %s", err, complaints.String())
	}
	var probed struct {
		Streams []struct {
			Type   string `json:"codec_type"`
			Frames int    `json:"nb_read_frames,string"` // left out if there are none
		}
	}
	if err := json.Unmarshal(out, &probed); err != nil {
		t.Fatal(err)
	}
	for _, s := range probed.Streams {
		switch s.Type {
		case "video":
			pictures += s.Frames
		case "audio":
			sounds += s.Frames
		}
	}
	return pictures, sounds, complaints.String()
}

// parts are the files that a stream of MP4 is one after the other: its tracks are described
// anew when they change, and ffmpeg reads the first description only.
func (w *watched) parts() [][]byte {
	if w.suffix != ".mp4" && w.suffix != "hls" {
		return [][]byte{w.Bytes()}
	}
	var parts [][]byte
	for b := w.Bytes(); len(b) > 0; {
		next := bytes.Index(b[8:], []byte("ftyp"))
		if next < 0 {
			return append(parts, b)
		}
		parts, b = append(parts, b[:next+4]), b[next+4:]
	}
	return parts
}

// TestWhateverAnEncoderSendsIsPlayed has a decoder count the frames of every output.
func TestWhateverAnEncoderSendsIsPlayed(t *testing.T) {
	if _, err := exec.LookPath("ffprobe"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("ffprobe is needed (make tools installs it)")
	}
	for _, e := range ingesttest.Encoders(demoClip(t)) {
		t.Run(e.Name, func(t *testing.T) {
			late := 10 * time.Second
			if e.Keyless {
				late = 45 * time.Second // what the ring holds has no key frame
			}
			outputs, status := watch(t, e, late)
			var dropped uint64
			for _, n := range status.Dropped {
				dropped += n
			}
			if dropped != e.Dropped {
				t.Errorf("%v were dropped, want %d", status.Dropped, e.Dropped)
			}
			for _, w := range outputs {
				if w.suffix == ".flv" && e.Unread != "" {
					continue
				}
				pictures, sounds, said := 0, 0, ""
				for i, part := range w.parts() {
					path := filepath.Join(t.TempDir(), fmt.Sprint(i, strings.Replace(w.suffix, "hls", ".mp4", 1)))
					if err := os.WriteFile(path, part, 0o644); err != nil {
						t.Fatal(err)
					}
					p, s, c := frames(t, path)
					pictures, sounds, said = pictures+p, sounds+s, said+c
				}
				t.Logf("%-18s %4d pictures, %4d frames of sound", w, pictures, sounds)
				if w.late {
					if p, s := e.From(uint32(late.Milliseconds())); pictures < p || sounds < s {
						t.Errorf("%s: %d pictures and %d frames of sound, want %d and %d at least", w, pictures, sounds, p, s)
					}
				} else if pictures != e.Pictures || sounds != e.Sounds {
					t.Errorf("%s: %d pictures and %d frames of sound, want %d and %d", w, pictures, sounds, e.Pictures, e.Sounds)
				}
				if said != "" && !(w.late && e.Keyless) {
					t.Errorf("%s: the decoder says %.400s", w, said)
				}
			}
		})
	}
}
