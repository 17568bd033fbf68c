//go:build e2e && linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"relay/cli/e2e/internal/program"
)

const (
	// startTime is how long a server may take until it listens.
	startTime = 20 * time.Second
	// streamKey is what a publisher gives to relay source.
	streamKey = "load"
)

// server is a program that takes the stream from one publisher and sends it to viewers.
type server struct {
	cmd     *exec.Cmd
	said    strings.Builder // its errors, for whoever looks why it failed; read after stop
	publish func(*history) (*publisher, error)
	play    string // the address for viewers
	page    string // of ours: that of the page
	rtmp    string // of ours: that for players over RTMP
	link    string // of ours: that for watchers
	come    visit  // how they come; if nil, they watch what is at play
}

// contestant is a kind of server.
type contestant struct {
	name  string // as in -servers
	title string // in tables
	start func(machine) (*server, error)
}

// contestants are all kinds. The first one is what the others are compared with.
var contestants = []contestant{
	{"loop", "bare loop", startLoop},
	{"nginx", "nginx-rtmp", startNginx},
	{"flv", "ours, .flv", func(m machine) (*server, error) { return startRelay(m, ".flv") }},
	{"mp4", "ours, .mp4", func(m machine) (*server, error) { return startRelay(m, ".mp4") }},
	{"ts", "ours, .ts", func(m machine) (*server, error) { return startRelay(m, ".ts") }},
	{"batch", "ours, .flv, --batch 100ms", func(m machine) (*server, error) { return startRelay(m, ".flv", "--batch", "100ms") }},
	{"rtmp", "ours, RTMP", func(m machine) (*server, error) { return startRelay(m, "rtmp") }},
	{"hls", "ours, HLS", func(m machine) (*server, error) { return startRelay(m, "hls") }},
	{"children", "ours, children over TLS", func(m machine) (*server, error) {
		return startRelay(m, "children", "--max-children", strconv.Itoa(maxBeside))
	}},
}

// machine is what servers are started with.
type machine struct {
	cores  []int  // of the server
	most   int    // viewers that it has to have room for
	dir    string // for its files
	relay  string // the programs
	nginx  string
	module string // nginx-rtmp
	sound  bool   // the stream has no pictures
}

// program returns a command that runs on the server's cores alone.
func (m machine) program(path string, args ...string) *exec.Cmd {
	cmd := program.Command("taskset", append([]string{"-c", coreList(m.cores), path}, args...)...)
	cmd.Dir = m.dir
	return cmd
}

// begin starts a command and returns its first line. Its other output is dropped, and its errors
// are kept.
func begin(cmd *exec.Cmd) (*server, string, error) {
	s := &server{cmd: cmd}
	cmd.Stderr = &s.said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	late := time.AfterFunc(startTime, func() { _ = cmd.Process.Kill() }) // an error says that it has ended
	defer late.Stop()
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		s.stop()
		return nil, "", fmt.Errorf("%s did not say where it listens: %w\n%s", cmd.Path, err, &s.said)
	}
	go io.Copy(io.Discard, r) // ends with the process
	return s, line, nil
}

// stop ends the server and waits for that.
func (s *server) stop() {
	_ = s.cmd.Process.Kill() // an error says that it has ended
	_ = s.cmd.Wait()         // it was killed
}

func startLoop(m machine) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s, line, err := begin(m.program(self, loopArg))
	if err != nil {
		return nil, err
	}
	in, play, _ := strings.Cut(strings.TrimSpace(line), " ")
	s.publish = func(h *history) (*publisher, error) { return publishFLV(in, h) }
	s.play = "http://" + play + "/live.flv"
	return s, nil
}

// coreList writes cores as taskset reads them.
func coreList(cores []int) string {
	var all []string
	for _, core := range cores {
		all = append(all, strconv.Itoa(core))
	}
	return strings.Join(all, ",")
}

// exactly asks for the stream as it was sent, from the newest key frame.
const exactly = "?start=gop"

// startRelay starts relay source, with viewers that watch in a form: .flv, .mp4, .ts, rtmp, hls, or
// children.
func startRelay(m machine, form string, flags ...string) (*server, error) {
	const loopback = "127.0.0.1:0"
	cmd := m.program(m.relay, append([]string{
		"source", "--json", "--no-qr", "--no-discovery", "--admin", "off",
		"--listen", loopback, "--http", loopback, "--rtmp", loopback, "--config", filepath.Join(m.dir, "keys"),
		"--max-viewers", strconv.Itoa(m.most),
	}, flags...)...)
	cmd.Env = append(cmd.Environ(), "RELAY_KEY="+streamKey) // on a command line it is warned of first
	s, line, err := begin(cmd)
	if err != nil {
		return nil, err
	}
	var said struct{ Event, Name, Link, Page, URL, Server string }
	if err := json.Unmarshal([]byte(line), &said); err != nil || said.Event != "start" {
		s.stop()
		return nil, fmt.Errorf("relay source begins with %q", line)
	}
	s.publish = func(h *history) (*publisher, error) { return publishRTMP(said.Server+"/"+streamKey, h) }
	s.page, s.link, s.rtmp = said.Page, said.Link, said.Server+"/"+said.Name+exactly
	switch form {
	case "rtmp":
		s.play = s.rtmp
	case "hls":
		s.come = playingHLS(said.Page + "hls/" + said.Name + "/index.m3u8")
	case "children":
		s.come = children(said.Link)
	default:
		s.play = strings.TrimSuffix(said.URL, ".flv") + form + exactly
	}
	return s, nil
}

// nginxConf has nginx-rtmp as it is by default, in one process, with room for a crowd. Viewers get
// sound from the first key frame on, and not before it, so that they can be asked for every tag.
// Where there are no pictures, they get it at once.
const nginxConf = `
load_module %s;
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
worker_rlimit_nofile 65536;
events { worker_connections 32768; }
rtmp {
	access_log off;
	server {
		listen %s;
		application live { live on; %s }
	}
}
`

// wait is what has nginx-rtmp wait for a key frame.
func (m machine) wait() string {
	if m.sound {
		return ""
	}
	return "wait_video on;"
}

func startNginx(m machine) (*server, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(m.dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, m.module, addr, m.wait()), 0o600); err != nil {
		return nil, err
	}
	s := &server{cmd: m.program(m.nginx, "-p", m.dir, "-e", "stderr", "-c", conf)}
	s.cmd.Stderr = &s.said
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			s.stop()
			return nil, fmt.Errorf("nginx does not listen: %w\n%s", err, &s.said)
		}
	}
	s.publish = func(h *history) (*publisher, error) { return publishRTMP("rtmp://"+addr+"/live/load", h) }
	s.play = "rtmp://" + addr + "/live/load"
	return s, nil
}

// freePort returns an address that nobody listens at. nginx cannot tell which one it has taken.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
