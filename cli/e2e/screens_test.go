//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"relay/cli/e2e/internal/program"
)

// nobody is the user that runs VLC where the tests run as root, because VLC refuses to run as
// root.
const nobody = 65534

// look is one look at a player's screen: when it was, and how old the picture was.
type look struct {
	at     time.Time
	behind time.Duration
}

// screen is what a player showed.
type screen struct {
	began time.Time // the player was started

	mu      sync.Mutex
	shown   []time.Time // each picture
	looks   []look      // those in which the clock was legible
	garbled []time.Time // those in which it was not
}

// look reads the clock of a picture that is on the screen.
func (s *screen) look(at time.Time, img image.Image) {
	clock, ok := readClock(img)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ok {
		s.looks = append(s.looks, look{at, at.Sub(clock)})
	} else {
		s.garbled = append(s.garbled, at)
	}
}

// show notes that a picture comes on the screen.
func (s *screen) show(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = append(s.shown, at)
}

// since returns for how long there has been a picture, 0 without one.
func (s *screen) since() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.shown) == 0 {
		return 0
	}
	return time.Since(s.shown[0])
}

// onVLC plays an address in VLC for so long from its first picture on, and returns what it
// showed. Its display is a pipe to this process, which takes each picture at the moment when a
// window would.
func onVLC(t *testing.T, url string, flags []string, during time.Duration) *screen {
	t.Helper()
	pictures, display, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pictures.Close()
	home, err := os.MkdirTemp("", "relay-vlc-") // below t.TempDir only root would find it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	args := append([]string{"-I", "dummy", "--no-video-title-show", "--aout=dummy", "--vout=yuv", "--yuv-chroma=I420", "--yuv-yuv4mpeg2", "--yuv-file=/dev/fd/3"}, flags...)
	cmd := program.Command("vlc", append(args, url)...)
	cmd.ExtraFiles = []*os.File{display} // descriptor 3
	cmd.Env = append(cmd.Env, "HOME="+home, "XDG_RUNTIME_DIR="+home)
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if err := errors.Join(os.Chown(home, nobody, nobody), display.Chown(nobody, nobody)); err != nil {
			t.Fatal(err)
		}
	}
	s := &screen{began: time.Now()}
	p := startCommand(t, "vlc", cmd)
	display.Close()
	ended := make(chan error, 1)
	go func() { // ends with the player
		ended <- readY4M(pictures, func(at time.Time, img image.Image) { s.show(at); s.look(at, img) })
	}()
	playFor(t, p, s, during)
	p.kill()
	if err := <-ended; err != nil {
		t.Errorf("vlc: %v", err)
	}
	return s
}

// playFor waits until so much time has passed since a player's first picture.
func playFor(t *testing.T, p *process, s *screen, during time.Duration) {
	t.Helper()
	eventually(t, p.name+" shows pictures for "+during.String(), func() error {
		if !p.running() {
			t.Fatalf("%s has ended", p.name)
		}
		if d := s.since(); d < during {
			return fmt.Errorf("it has for %v", d)
		}
		return nil
	})
}

// readY4M hands on each picture of a YUV4MPEG2 stream as it comes. The stream may begin
// anew, and end within a picture.
func readY4M(r io.Reader, show func(time.Time, image.Image)) error {
	b := bufio.NewReaderSize(r, 1<<20)
	var width, height int
	for {
		line, err := b.ReadString('\n')
		if err != nil {
			return nil
		}
		switch fields := strings.Fields(line); {
		case len(fields) > 0 && fields[0] == "YUV4MPEG2":
			for _, f := range fields[1:] {
				switch n, _ := strconv.Atoi(f[1:]); f[0] {
				case 'W':
					width = n
				case 'H':
					height = n
				}
			}
		case len(fields) > 0 && fields[0] == "FRAME" && width > 0 && height > 0:
			img := image.NewGray(image.Rect(0, 0, width, height))
			if _, err := io.ReadFull(b, img.Pix); err != nil {
				return nil
			}
			at := time.Now()
			if _, err := b.Discard(2 * ((width + 1) / 2) * ((height + 1) / 2)); err != nil {
				return nil
			}
			show(at, img)
		default:
			return fmt.Errorf("what it shows is no picture: %.80q", line)
		}
	}
}

// onMPV plays an address in mpv for so long from its first picture on, and returns what it
// showed. mpv's statistics tell when it showed each picture, and screenshots during the
// playback tell which one it was.
func onMPV(t *testing.T, url string, flags []string, during time.Duration) *screen {
	t.Helper()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	args := append([]string{"--no-config", "--vo=null", "--ao=null", "--input-ipc-server=" + file("mpv"), "--dump-stats=" + file("stats"), "--screenshot-jpeg-quality=100"}, flags...)
	s := &screen{began: time.Now()}
	p := start(t, "mpv", "mpv", append(args, url)...)
	var m *mpv
	eventually(t, "mpv takes commands", func() (err error) {
		m, err = dialMPV(file("mpv"))
		return err
	})
	defer m.Close()
	var us int64
	if err := m.do(&us, "get_time_us"); err != nil {
		t.Fatal(err)
	}
	zero := time.Now().Add(-time.Duration(us) * time.Microsecond)
	first := true
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		at := time.Now()
		if m.do(nil, "screenshot-to-file", file("shot.jpg"), "video") != nil {
			continue // there is nothing to be seen yet
		}
		if first {
			first, until = false, at.Add(during)
		}
		b, err := os.ReadFile(file("shot.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		s.look(at, img)
	}
	if err := m.do(nil, "quit"); err != nil {
		t.Fatal(err)
	}
	p.wait(t)
	b, err := os.ReadFile(file("stats"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if at, ok := strings.CutSuffix(line, " start video-flip\n"); ok {
			us, err := strconv.ParseInt(at, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			s.show(zero.Add(time.Duration(us) * time.Microsecond))
		}
	}
	return s
}

// mpv is a connection to a running mpv (its manual, JSON IPC).
type mpv struct {
	net.Conn
	in *bufio.Scanner
	id int
}

func dialMPV(socket string) (*mpv, error) {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	return &mpv{Conn: c, in: bufio.NewScanner(c)}, nil
}

// do carries out a command and stores what it returns, if that is wanted.
func (m *mpv) do(result any, command ...any) error {
	m.id++
	ask, err := json.Marshal(map[string]any{"command": command, "request_id": m.id})
	if err != nil {
		return err
	}
	if err := m.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := m.Write(append(ask, '\n')); err != nil {
		return err
	}
	for m.in.Scan() {
		var answer struct {
			ID    int             `json:"request_id"`
			Error string          `json:"error"`
			Data  json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(m.in.Bytes(), &answer); err != nil {
			return err
		}
		switch {
		case answer.ID != m.id: // an event
		case answer.Error != "success":
			return fmt.Errorf("mpv: %v: %s", command, answer.Error)
		case result != nil:
			return json.Unmarshal(answer.Data, result)
		default:
			return nil
		}
	}
	return errors.Join(errors.New("mpv has ended"), m.in.Err())
}

// onFFplay plays an address in ffplay for so long from its first picture on, and returns
// what it showed. SDL keeps each picture in a file instead of a window.
func onFFplay(t *testing.T, url string, flags []string, during time.Duration) *screen {
	t.Helper()
	dir := t.TempDir()
	cmd := program.Command("ffplay", append(flags, url)...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "SDL_VIDEODRIVER=dummy", "SDL_AUDIODRIVER=dummy", "SDL_VIDEO_DUMMY_SAVE_FRAMES=1")
	s := &screen{began: time.Now()}
	p := startCommand(t, "ffplay", cmd)
	ended := make(chan struct{})
	go func() { // ends with the player
		defer close(ended)
		for n := 1; p.running(); {
			path := filepath.Join(dir, fmt.Sprintf("SDL_window1-%08d.bmp", n))
			b, at := readNew(path)
			img, err := readBMP(b)
			if err != nil { // it is not there yet, or not all of it
				time.Sleep(2 * time.Millisecond)
				continue
			}
			s.show(at)
			s.look(at, img)
			os.Remove(path)
			n++
		}
	}()
	playFor(t, p, s, during)
	p.kill()
	<-ended
	return s
}

// readNew reads a file and says when it was last written; nothing if it does not exist.
func readNew(path string) ([]byte, time.Time) {
	f, err := os.Open(path)
	if err != nil {
		return nil, time.Time{}
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, time.Time{}
	}
	st, err := f.Stat()
	if err != nil {
		return nil, time.Time{}
	}
	return b, st.ModTime()
}

// readBMP reads a picture as SDL writes it: 24 bits a pixel, from the bottom up.
func readBMP(b []byte) (image.Image, error) {
	const header = 54
	if len(b) < header || string(b[:2]) != "BM" {
		return nil, errors.New("no picture")
	}
	at, w, h := int(binary.LittleEndian.Uint32(b[10:])), int(binary.LittleEndian.Uint32(b[18:])), int(binary.LittleEndian.Uint32(b[22:]))
	stride := (3*w + 3) &^ 3
	if bits := binary.LittleEndian.Uint16(b[28:]); bits != 24 || len(b) < at+h*stride {
		return nil, fmt.Errorf("%d bytes of a picture of %dx%d and %d bits", len(b), w, h, bits)
	}
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		row := b[at+(h-1-y)*stride:]
		for x := range w {
			img.Pix[y*w+x] = row[3*x+1] // green
		}
	}
	return img, nil
}
