//go:build e2e && linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"relay/cli/e2e/internal/program"
)

// settle is how long an input has been there before it is measured.
const settle = 6 * time.Second

// addresses are what relay source has said of itself.
type addresses struct {
	rtmp string // for encoders, with the key
	srt  string // for encoders, with the passphrase
	play string // over SRT, for players
}

// input is a way in which a stream comes into relay source.
type input struct {
	name  string                                 // as in -inputs
	feed  func(a addresses, own string) []string // ffmpeg's arguments behind those that read the clip; nil for no encoder
	udp   bool                                   // relay source is told of an address of its own, of udp://
	waits bool                                   // the encoder waits at such an address, of srt://, and is there first
	play  func(a addresses) []string             // a player's; nil for none
}

// inputs are all ways that are measured. What comes is MPEG-TS, for RTMP in FLV.
var inputs = []input{
	{name: "idle"},
	{name: "rtmp", feed: overRTMP},
	{name: "udp", udp: true, feed: func(_ addresses, own string) []string { return []string{"-f", "mpegts", own + "?pkt_size=1316"} }},
	{name: "srt", feed: func(a addresses, _ string) []string { return []string{"-f", "mpegts", a.srt} }},
	{name: "srt-called", waits: true, feed: func(_ addresses, own string) []string { return []string{"-f", "mpegts", own + "?mode=listener"} }},
	{name: "rtmp+srt-player", feed: overRTMP, play: func(a addresses) []string { return []string{"-i", a.play, "-c", "copy", "-f", "null", "-"} }},
}

func overRTMP(a addresses, _ string) []string { return []string{"-f", "flv", a.rtmp} }

// inputs tells what relay source uses of a core within d, for each of some ways in which a stream of a rate comes in,
// and how often it is woken: both are the kernel's exact counts. Ticks of 10 ms, which /proc/PID/stat has, mislead where
// a program wakes for some microseconds at a time.
func (m machine) inputs(ctx context.Context, only string, rate int, d time.Duration) (err error) {
	if m.dir, err = os.MkdirTemp("", "relay-inputs-"); err != nil {
		return err
	}
	defer os.RemoveAll(m.dir)
	clip := filepath.Join(m.dir, "clip.ts")
	if err := makeClip(ctx, clip, rate); err != nil {
		return err
	}
	fmt.Printf("%-16s %10s %14s %6s\n", "input", "% of core", "wake-ups/s", "load")
	for _, in := range inputs {
		if only != "all" && !strings.Contains(","+only+",", ","+in.name+",") {
			continue
		}
		used, woken, err := m.input(ctx, in, clip, d)
		if err != nil {
			return fmt.Errorf("%s: %w", in.name, err)
		}
		fmt.Printf("%-16s %10.2f %14.0f %6.1f\n", in.name, 100*used.Seconds()/d.Seconds(), float64(woken)/d.Seconds(), loadAverage())
	}
	return nil
}

// makeClip makes 10 s of 720p at 30 pictures a second and sound, at a constant rate.
func makeClip(ctx context.Context, path string, rate int) error {
	const sound = 128_000
	kb := strconv.Itoa((rate*96/100-sound)/1000) + "k" // MPEG-TS adds the rest
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30", "-f", "lavfi", "-i", "sine=r=48000",
		"-t", "10", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "60", "-b:v", kb, "-minrate", kb, "-maxrate", kb, "-bufsize", kb,
		"-x264-params", "nal-hrd=cbr", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", strconv.Itoa(sound), "-f", "mpegts", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ffmpeg makes no clip: %w: %s", err, out)
	}
	return nil
}

// input measures one way.
func (m machine) input(ctx context.Context, in input, clip string, d time.Duration) (used time.Duration, woken int, err error) {
	own, err := freeUDP()
	if err != nil {
		return 0, 0, err
	}
	if own = "srt://" + own; in.udp {
		own = "udp" + own[3:]
	}
	var running ffmpegs
	end := func() { err = errors.Join(err, running.stop()) }
	defer end()
	if in.waits {
		if err := running.start(reading(clip, in.feed(addresses{}, own))); err != nil {
			return 0, 0, err
		}
		if err := pause(ctx, settle/6); err != nil {
			return 0, 0, err
		}
	}
	if !in.waits && !in.udp {
		own = ""
	}
	s, a, err := m.source(own)
	if err != nil {
		return 0, 0, err
	}
	defer s.stop()
	defer end() // before the source: a sender that it has called would end with it
	if in.feed != nil && !in.waits {
		if err := running.start(reading(clip, in.feed(a, own))); err != nil {
			return 0, 0, err
		}
	}
	if err := pause(ctx, settle/2); err != nil {
		return 0, 0, err
	}
	if in.play != nil {
		if err := running.start(in.play(a)); err != nil {
			return 0, 0, err
		}
	}
	if err := pause(ctx, settle/2); err != nil {
		return 0, 0, err
	}
	pid := s.cmd.Process.Pid
	before, err := cpuTime(pid)
	if err != nil {
		return 0, 0, err
	}
	turns := timeslices(pid)
	if err := pause(ctx, d); err != nil {
		return 0, 0, err
	}
	after, err := cpuTime(pid)
	return after - before, timeslices(pid) - turns, err
}

// freeUDP returns an address that nobody listens at.
func freeUDP() (string, error) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.LocalAddr().String(), nil
}

// source starts relay source with an input of its own, or with those that wait.
func (m machine) source(own string) (*server, addresses, error) {
	const loopback = "127.0.0.1:0"
	args := []string{
		"source", "--json", "--no-qr", "--no-discovery", "--admin", "off", "--listen", loopback, "--http", loopback,
		"--config", filepath.Join(m.dir, "keys"),
	}
	srt := ""
	if own != "" {
		args = append(args, own)
	} else {
		var err error
		if srt, err = freeUDP(); err != nil {
			return nil, addresses{}, err
		}
		args = append(args, "--rtmp", loopback, "--srt", srt)
	}
	cmd := m.program(m.relay, args...)
	s, line, err := begin(cmd)
	if err != nil {
		return nil, addresses{}, err
	}
	var said struct{ Name, Server, Key string }
	if err := json.Unmarshal([]byte(line), &said); err != nil {
		s.stop()
		return nil, addresses{}, fmt.Errorf("relay source begins with %q", line)
	}
	return s, addresses{
		rtmp: said.Server + "/" + said.Key,
		srt:  "srt://" + srt + "?mode=caller&latency=200000&pbkeylen=16&passphrase=" + said.Key,
		play: "srt://" + srt + "?streamid=read:" + said.Name,
	}, nil
}

// ffmpegs are those that run.
type ffmpegs []*ffmpeg

type ffmpeg struct {
	cmd   *exec.Cmd
	said  strings.Builder
	ended chan error
}

// reading are ffmpeg's arguments for a clip that is sent again and again at its own pace.
func reading(clip string, to []string) []string {
	return append([]string{"-re", "-stream_loop", "-1", "-i", clip, "-c", "copy"}, to...)
}

func (f *ffmpegs) start(args []string) error {
	one := &ffmpeg{cmd: program.Command("ffmpeg", append([]string{"-nostdin", "-v", "error"}, args...)...), ended: make(chan error, 1)}
	one.cmd.Stderr = &one.said
	if err := one.cmd.Start(); err != nil {
		return err
	}
	*f = append(*f, one)
	go func() { one.ended <- one.cmd.Wait() }() // ends with ffmpeg
	return nil
}

// stop ends them, once. That one has ended before is an error.
func (f *ffmpegs) stop() (err error) {
	for _, one := range *f {
		select {
		case why := <-one.ended:
			err = errors.Join(err, fmt.Errorf("ffmpeg has ended: %v: %s", why, one.said.String()))
		default:
			_ = one.cmd.Process.Kill() // an error says that it has ended
			<-one.ended
		}
	}
	*f = nil
	return err
}

// timeslices is how often the threads of a process have got a core, as sched-stats of the kernel's documentation
// has it: 0 where the system does not tell.
func timeslices(pid int) (n int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, f := range files {
		b, _ := os.ReadFile(f) // a thread may have ended
		var run, wait, turns int
		_, _ = fmt.Sscan(string(b), &run, &wait, &turns)
		n += turns
	}
	return n
}
