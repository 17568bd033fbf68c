package ffmpeg

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"relay/relay/oneline"
)

// nameMost bounds a device's name, in characters.
const nameMost = 80

// Look finds what this machine has.
func (p Program) Look(ctx context.Context) System {
	s := System{OS: runtime.GOOS}
	switch s.OS {
	case "windows":
		_, said, _ := p.ask(ctx, "-hide_banner", "-nostdin", "-list_devices", "true", "-f", "dshow", "-i", "dummy")
		s.Devices = append(dshowDevices(said), Device{Kind: Screen, Name: "the whole desktop", ID: "0"})
	case "darwin":
		_, said, _ := p.ask(ctx, "-hide_banner", "-nostdin", "-list_devices", "true", "-f", "avfoundation", "-i", "")
		s.Devices = avfDevices(said)
	default:
		s.Display = os.Getenv("DISPLAY")
		s.Wayland = os.Getenv("WAYLAND_DISPLAY") != "" || os.Getenv("XDG_SESSION_TYPE") == "wayland"
		s.Devices = v4l2Devices("/sys/class/video4linux")
		var heard []Device
		if pulseRuns() {
			out, _, _ := p.ask(ctx, "-hide_banner", "-nostdin", "-sources", "pulse")
			heard = sources("pulse", out)
		}
		if len(heard) == 0 {
			out, _, _ := p.ask(ctx, "-hide_banner", "-nostdin", "-sources", "alsa")
			heard = sources("alsa", out)
		}
		s.Devices = append(s.Devices, heard...)
		if s.Display != "" && !s.Wayland {
			s.Devices = append(s.Devices, Device{Kind: Screen, Name: "display " + oneline.Clean(s.Display, nameMost), ID: s.Display})
		}
	}
	return s
}

// pulseRuns reports whether there is a server of PulseAudio, or of what speaks its language. Its library makes files in
// the user's folders even where there is none.
func pulseRuns() bool {
	_, err := os.Stat(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "pulse", "native"))
	return err == nil || os.Getenv("PULSE_SERVER") != ""
}

// v4l2Devices lists the cameras of Linux, by the numbers of their nodes. A camera has further nodes, with index 1 and
// so on, that give no pictures.
func v4l2Devices(dir string) []Device {
	nodes, _ := filepath.Glob(filepath.Join(dir, "video*"))
	slices.SortFunc(nodes, func(a, b string) int { return nodeNumber(a) - nodeNumber(b) })
	var all []Device
	for _, n := range nodes {
		if index, err := os.ReadFile(filepath.Join(n, "index")); err == nil && strings.TrimSpace(string(index)) != "0" {
			continue
		}
		name, _ := os.ReadFile(filepath.Join(n, "name"))
		base := filepath.Base(n)
		d := Device{Kind: Camera, Name: oneline.Clean(string(name), nameMost), ID: "/dev/" + base}
		if d.Name == "" {
			d.Name = base
		}
		all = append(all, d)
	}
	return all
}

func nodeNumber(path string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(filepath.Base(path), "video"))
	return n
}

// sourceLine is what "ffmpeg -sources" writes of each: "* alsa_input.pci-0000_00 [Built-in Audio] (none)", with a star
// before the one that the user has chosen.
var sourceLine = regexp.MustCompile(`^([* ]) (\S+) \[(.*)\]`)

// sources reads the microphones of Linux. The one that was chosen is the first.
func sources(via, out string) []Device {
	var all []Device
	for line := range strings.Lines(out) {
		m := sourceLine.FindStringSubmatch(line)
		if m == nil || via == "alsa" && (m[2] == "null" || !strings.Contains(m[2], ":") && m[2] != "default") {
			continue
		}
		d := Device{Kind: Microphone, Name: oneline.Clean(m[3], nameMost), ID: m[2], Via: via, Plays: strings.HasSuffix(m[2], ".monitor")}
		if m[1] == "*" {
			all = append([]Device{d}, all...)
		} else {
			all = append(all, d)
		}
	}
	// Nobody who says "camera" means what the loudspeakers play.
	slices.SortStableFunc(all, func(a, b Device) int { return order(a) - order(b) })
	return all
}

func order(d Device) int {
	if d.Plays {
		return 1
	}
	return 0
}

// dshow lists devices in lines like these. Before ffmpeg 5 headings tell cameras from microphones, and the part in
// brackets in front has been "dshow" or "in#0".
var (
	dshowName = regexp.MustCompile(`^\[[^\]]*\]\s+"(.*)"(?: \((.*)\))?\s*$`)
	dshowID   = regexp.MustCompile(`^\[[^\]]*\]\s+Alternative name "(.*)"\s*$`)
)

// dshowDevices reads the cameras and microphones of Windows. One whose name has a colon, which is how ffmpeg parts two
// names, or that another has too, is called by its other name.
func dshowDevices(said string) []Device {
	var all []Device
	var heading Kind
	count := map[string]int{}
	last := -1 // among all
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\r\n")
		if id := dshowID.FindStringSubmatch(line); id != nil {
			if last >= 0 && (strings.Contains(all[last].ID, ":") || count[kindName(all[last])] > 1) {
				all[last].ID = id[1]
			}
			continue
		}
		last = -1
		switch {
		case strings.Contains(line, "DirectShow video devices"):
			heading = Camera
		case strings.Contains(line, "DirectShow audio devices"):
			heading = Microphone
		}
		n := dshowName.FindStringSubmatch(line)
		if n == nil {
			continue
		}
		kind := heading
		switch {
		case strings.Contains(n[2], "video"):
			kind = Camera
		case strings.Contains(n[2], "audio"):
			kind = Microphone
		case n[2] == "none" && heading == "":
			continue
		}
		if kind == "" {
			continue
		}
		d := Device{Kind: kind, Name: oneline.Clean(n[1], nameMost), ID: n[1]}
		lower := strings.ToLower(d.Name)
		d.Plays = kind == Microphone && (strings.Contains(lower, "stereo mix") || strings.Contains(lower, "what u hear") || lower == "virtual-audio-capturer")
		count[kindName(d)]++
		all, last = append(all, d), len(all)
	}
	slices.SortStableFunc(all, func(a, b Device) int { return order(a) - order(b) })
	return all
}

func kindName(d Device) string { return string(d.Kind) + d.Name }

// avfLine is what avfoundation writes of each: "[AVFoundation indev @ 0x1] [0] FaceTime HD Camera".
var avfLine = regexp.MustCompile(`^\[[^\]]*\] \[(\d+)\] (.*)$`)

// avfDevices reads the cameras, screens and microphones of macOS. Their numbers change as devices come and go, so
// they are read anew for each run.
func avfDevices(said string) []Device {
	var all []Device
	sound := false
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\r\n")
		if strings.Contains(line, "AVFoundation audio devices") {
			sound = true
		}
		m := avfLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		d := Device{Kind: Camera, Name: oneline.Clean(m[2], nameMost), ID: m[1]}
		switch lower := strings.ToLower(d.Name); {
		case sound:
			d.Kind = Microphone
			d.Plays = strings.Contains(lower, "blackhole") || strings.Contains(lower, "loopback") || strings.Contains(lower, "soundflower")
		case strings.HasPrefix(d.Name, "Capture screen"):
			d.Kind = Screen
		}
		all = append(all, d)
	}
	slices.SortStableFunc(all, func(a, b Device) int { return order(a) - order(b) })
	return all
}
