//go:build e2e

package playback

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
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
	"text/tabwriter"
	"time"

	"relay/ingest"
	"relay/ingest/ingesttest"
	"relay/relay/stream"
)

// watched is what one output gave one reader.
type watched struct {
	suffix string
	late   bool
	start  Start
	said   string    // how it was refused
	to     io.Writer // gets what play is given, if it is not nil
	bytes.Buffer
}

func (w *watched) String() string {
	s := w.suffix
	if w.late {
		s += " joined late"
	}
	if w.start == Squash {
		s += ", squashed"
	}
	return s
}

// starts are how readers begin who are there from the beginning (false), and who come late (true):
// recordings, and what the viewers of a node get who do not say what they want.
var starts = map[bool][]Start{false: {GOP}, true: {GOP, Squash}}

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
			w := &watched{suffix: "hls", late: late, start: GOP}
			all = append(all, w)
			readers.Go(func() { w.play(t, hls, channel) })
			direct := &watched{suffix: "rtmp", late: late, start: GOP}
			all = append(all, direct)
			readers.Go(func() { direct.direct(t, server, channel) })
			for _, start := range starts[late] {
				for _, suffix := range []string{".flv", ".mp4", ".ts"} {
					w := &watched{suffix: suffix, late: late, start: start}
					all = append(all, w)
					readers.Go(func() {
						if err := (Recording{Ring: ring, Start: start, Suffix: suffix}).Run(t.Context(), w); err != nil {
							w.said = err.Error()
						}
					})
				}
			}
		}
		read(false)
		synctest.Wait() // they are there before the first tag
		began, joined := time.Now(), false
		for i, tag := range e.Tags {
			time.Sleep(time.Until(began.Add(time.Duration(e.When(i)) * time.Millisecond)))
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
		if !joined {
			t.Errorf("%s: it ends before anybody comes late", e.Name)
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

// direct is a player of RTMP, who gets tags in a protocol that is left out here.
func (w *watched) direct(t *testing.T, s *Server, c *Channel) {
	a, err := s.Direct(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, c.id.Short()+"?start=gop", flvForm)
	if err != nil {
		t.Error(err)
		return
	}
	near, far := net.Pipe()
	var reader sync.WaitGroup
	reader.Go(func() { io.Copy(w, far) }) // ends with the connection
	if err := a.Play(t.Context(), near, nil, nil); err != nil {
		t.Errorf("%s: %v", w, err)
	}
	near.Close()
	reader.Wait()
}

// raw reports whether the output is what was sent.
func (w *watched) raw() bool { return w.suffix == ".flv" || w.suffix == "rtmp" }

// play is a player of HLS, who takes each segment once and asks for the next before it needs it.
func (w *watched) play(t *testing.T, s *routes, c *Channel) {
	to := w.to
	if to == nil {
		to = w
	}
	folder := hlsPrefix + c.id.Short() + "/"
	get := func(name string) []byte {
		r := httptest.NewRecorder()
		s.hls(r, httptest.NewRequestWithContext(t.Context(), "GET", folder+name, nil))
		if r.Code != http.StatusOK {
			w.said = fmt.Sprintf("%s: %d %s", name, r.Code, r.Body)
			return nil
		}
		return r.Body.Bytes()
	}
	begun, had := "", make(map[string]bool)
	for w.said == "" && !t.Failed() {
		list, init := string(get("index.m3u8")), ""
		for line := range strings.Lines(list) {
			line = strings.TrimSpace(line)
			if uri, ok := strings.CutPrefix(line, "#EXT-X-MAP:URI="); ok {
				init = strings.Trim(uri, `"`)
			} else if line != "" && line[0] != '#' && !had[line] {
				had[line] = true
				if init != begun {
					to.Write(get(init))
				}
				begun = init
				to.Write(get(line))
			}
		}
		if strings.Contains(list, "#EXT-X-ENDLIST") {
			return
		}
		time.Sleep(time.Second)
	}
}

// frames is what a decoder found in a file.
type frames struct{ pictures, sounds int }

// decodings are the frames that a decoder found in files, and did not complain of, by their kind
// and SHA-256: much of what encoders do differs in the tags alone.
var decodings sync.Map

// decodeOnce is decode for files of which some may have been decoded before.
func decodeOnce(t *testing.T, paths []string) (all []frames, said string) {
	t.Helper()
	keys := make([]string, len(paths))
	var fresh []string
	var at []int
	all = make([]frames, len(paths))
	for i, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = fmt.Sprintf("%s %x", filepath.Ext(path), sha256.Sum256(b))
		if d, ok := decodings.Load(keys[i]); ok {
			all[i] = d.(frames)
			continue
		}
		fresh, at = append(fresh, path), append(at, i)
	}
	if len(fresh) == 0 {
		return all, ""
	}
	found, said := decode(t, fresh)
	for k, i := range at {
		all[i] = found[k]
		if said == "" {
			decodings.Store(keys[i], found[k])
		}
	}
	return all, said
}

// decode has ffmpeg decode files, all in one process, and returns what is in each, and what the
// decoders had to say.
func decode(t *testing.T, paths []string) (all []frames, said string) {
	t.Helper()
	if all, said, ok := decodeTracks(t, paths, "v:0", "a:0"); ok {
		return all, said
	}
	// ffmpeg fails if a track has no frames.
	all = make([]frames, len(paths))
	for i, path := range paths {
		for _, track := range []string{"v:0", "a:0"} {
			f, s, ok := decodeTracks(t, []string{path}, track)
			if ok {
				all[i] = frames{all[i].pictures + f[0].pictures, all[i].sounds + f[0].sounds}
			} else if strings.Contains(s, "Cannot determine format of input stream") || strings.Contains(s, "does not contain any stream") {
				continue
			}
			said += s
		}
	}
	return all, said
}

// decodeTracks is decode for some kinds of tracks. It reports false if ffmpeg fails.
func decodeTracks(t *testing.T, paths []string, tracks ...string) (all []frames, said string, ok bool) {
	t.Helper()
	dir := t.TempDir()
	list := func(i int) string { return filepath.Join(dir, fmt.Sprint(i, ".txt")) }
	args := []string{"-nostdin", "-v", "error", "-y", "-filter_threads", "1"}
	for _, path := range paths {
		args = append(args, "-threads", "1", "-thread_queue_size", "2048", "-i", path)
	}
	for i := range paths {
		for _, track := range tracks {
			args = append(args, "-map", fmt.Sprint(i, ":", track, "?"))
		}
		if len(tracks) == 1 { // where a map finds nothing, ffmpeg takes something else
			args = append(args, map[string]string{"v:0": "-an", "a:0": "-vn"}[tracks[0]])
		}
		args = append(args, "-fps_mode", "passthrough", "-f", "framecrc", list(i))
	}
	out, err := exec.CommandContext(t.Context(), "ffmpeg", args...).CombinedOutput()
	if err != nil {
		return nil, fmt.Sprintf("%v: %s", err, out), false
	}
	for i := range paths {
		all = append(all, countFrames(t, list(i)))
	}
	return all, string(out), true
}

// countFrames reads what ffmpeg's framecrc writes: a line for each frame, that begins with the number
// of the stream, and lines that say what the streams are.
func countFrames(t *testing.T, path string) (f frames) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	video := make(map[string]bool)
	for line := range strings.Lines(string(b)) {
		if stream, ok := strings.CutPrefix(line, "#media_type "); ok {
			stream, what, _ := strings.Cut(stream, ": ")
			video[stream] = strings.TrimSpace(what) == "video"
		} else if stream, _, ok := strings.Cut(line, ","); ok && line[0] != '#' && video[stream] {
			f.pictures++
		} else if ok && line[0] != '#' {
			f.sounds++
		}
	}
	return f
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

// files writes what an output gave, and returns where.
func (w *watched) files(t *testing.T) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for i, part := range w.parts() {
		path := filepath.Join(dir, fmt.Sprint(i, strings.NewReplacer("hls", ".mp4", "rtmp", ".flv").Replace(w.suffix)))
		if err := os.WriteFile(path, part, 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// table is what every output made of every encoder. It is for people, who find it in the file
// that the environment names.
type table struct {
	mu   sync.Mutex
	rows []string
}

func (tb *table) add(e ingesttest.Encoder, cells []string) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.rows = append(tb.rows, e.Name+"\t"+strings.Join(cells, "\t"))
}

func (tb *table) write(t *testing.T) {
	slices.Sort(tb.rows)
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "pictures and frames of sound\tHLS\tRTMP\t.flv\t.mp4\t.ts\tHLS, late\tRTMP\t.flv\t.mp4\t.ts\t.flv, squashed\t.mp4\t.ts")
	fmt.Fprintln(w, strings.Join(tb.rows, "\n"))
	w.Flush()
	t.Log("\n" + b.String())
	if path := os.Getenv("ENCODERS_TABLE"); path != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// TestWhateverAnEncoderSendsIsPlayed has a decoder count the frames of every output.
func TestWhateverAnEncoderSendsIsPlayed(t *testing.T) {
	var results table
	t.Cleanup(func() { results.write(t) }) // when all are there
	for _, e := range ingesttest.Encoders(clip.shoot(t).Tags, ingesttest.ReadFile(t, filepath.Join("..", "testdata", "flv", "video.flv"))) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			results.add(e, isPlayed(t, e))
		})
	}
	for _, e := range others(t) {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			results.add(e, isPlayed(t, e))
		})
	}
	for _, f := range films {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			e := f.shoot(t)
			results.add(e, isPlayed(t, e))
		})
	}
}

// isPlayed plays what an encoder sends on every output, and returns what each gave.
func isPlayed(t *testing.T, e ingesttest.Encoder) (cells []string) {
	outputs, status := watch(t, e, time.Duration(e.Late)*time.Millisecond)
	var dropped uint64
	for _, n := range status.Dropped {
		dropped += n
	}
	if dropped != e.Dropped {
		t.Errorf("%v were dropped, want %d", status.Dropped, e.Dropped)
	}
	var paths []string
	var of []*watched // the output that each path is of
	refused := make(map[*watched]bool)
	same := make(map[*watched]*watched) // an output with the same bytes
	for _, w := range outputs {
		no := e.Lacks[w.suffix]
		if !w.raw() {
			no = cmp.Or(e.Refused, no)
		}
		if w.said != "" || no != "" {
			if w.raw() || no == "" || !strings.Contains(w.said, no+" cannot go into ") {
				t.Errorf("%s: refused: %q", w, w.said)
			}
			refused[w] = true
			continue
		}
		if w.raw() && e.Unread != "" {
			continue
		}
		if i := slices.IndexFunc(of, func(o *watched) bool { return bytes.Equal(o.Bytes(), w.Bytes()) }); i >= 0 {
			same[w] = of[i]
			continue
		}
		for _, path := range w.files(t) {
			paths, of = append(paths, path), append(of, w)
		}
	}
	found, said := decodeOnce(t, paths)
	got := make(map[*watched]frames)
	for i, f := range found {
		g := got[of[i]]
		got[of[i]] = frames{g.pictures + f.pictures, g.sounds + f.sounds}
	}
	if said != "" && !e.Keyless && !e.Faulty {
		t.Errorf("the decoder says %.400s", said)
	}
	for _, w := range outputs {
		g, read := got[w]
		if o := same[w]; o != nil {
			g, read = got[o], true
		}
		if refused[w] {
			cells = append(cells, "refused")
			continue
		}
		if !read {
			cells = append(cells, "-")
			if e.Unread == "" {
				t.Errorf("%s: nothing, %q", w, w.said)
			}
			continue
		}
		cells = append(cells, fmt.Sprint(g.pictures, " ", g.sounds))
		want, least := frames{e.Pictures, e.Sounds}, frames{}
		least.pictures, least.sounds = e.From(e.Late)
		if e.Unheard && !w.raw() || w.suffix == e.Mute {
			want.sounds = 0
		}
		if w.late && (g.pictures < min(least.pictures, want.pictures) || g.sounds < min(least.sounds, want.sounds)) {
			t.Errorf("%s: %+v, want %+v at least", w, g, least)
		} else if !w.late && g != want {
			t.Errorf("%s: %+v, want %+v", w, g, want)
		}
	}
	return cells
}
