package ffmpeg

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWishes(t *testing.T) {
	for arg, want := range map[string]Wish{
		"screen": {Kind: Screen}, "Screen:1": {Kind: Screen, Name: "1"}, "camera": {Kind: Camera}, "camera:Logi: C920": {Kind: Camera, Name: "Logi: C920"},
		"/dev/video2": {Kind: Camera, Name: "/dev/video2"}, "screen.mp4": {}, "./camera": {}, "": {}, "cameras": {},
	} {
		got, ok := ParseWish(arg)
		if got != want || ok != (want.Kind != "") {
			t.Errorf("%q is %+v", arg, got)
		}
	}
}

const (
	// Version 7 says of each device what it is; a virtual camera has the same name as another.
	dshowNow = `[dshow @ 0x1] "C920: Pro" (video)
[dshow @ 0x1]   Alternative name "@device_pnp_\\?\usb#vid_046d&pid_082d"
[in#0 @ 0x2] "USB Video" (video)
[in#0 @ 0x2]   Alternative name "@device_pnp_1"
[in#0 @ 0x2] "USB Video" (video)
[in#0 @ 0x2]   Alternative name "@device_pnp_2"
[dshow @ 0x1] "OBS Virtual Camera" (none)
[dshow @ 0x1]   Alternative name "@device_sw_3"
[dshow @ 0x1] "Stereo Mix (Realtek)" (audio)
[dshow @ 0x1]   Alternative name "@device_cm_4"
[dshow @ 0x1] "Microphone "A" (Elgato Wave:3)" (audio)
[dshow @ 0x1]   Alternative name "@device_cm_5"
dummy: Immediate exit requested
`
	dshowOnce = `[dshow @ 0x1] DirectShow video devices (some may be both video and audio devices)
[dshow @ 0x1]  "FaceTime HD Camera"
[dshow @ 0x1]     Alternative name "@device_pnp_1"
[dshow @ 0x1] DirectShow audio devices
[dshow @ 0x1]  "Headset Microphone"
[dshow @ 0x1]     Alternative name "@device_cm_2"
`
	avf = `[AVFoundation indev @ 0x1] AVFoundation video devices:
[AVFoundation indev @ 0x1] [0] FaceTime HD Camera
[AVFoundation indev @ 0x1] [1] Capture screen 0
[AVFoundation indev @ 0x1] [2] Capture screen 1
[AVFoundation indev @ 0x1] AVFoundation audio devices:
[AVFoundation indev @ 0x1] [0] BlackHole 2ch
[AVFoundation indev @ 0x1] [1] Built-in Microphone
: Input/output error
`
	pulse = `Auto-detected sources for pulse:
  alsa_output.pci.monitor [Monitor of Built-in Audio] (none)
  alsa_input.usb [USB Microphone] (none)
* alsa_input.pci [Built-in Audio Analog Stereo] (none)
`
)

func devices(all []Device) string {
	var lines []string
	for _, d := range all {
		plays := ""
		if d.Plays {
			plays = " plays"
		}
		lines = append(lines, string(d.Kind)+" "+d.Name+" = "+d.ID+plays)
	}
	return strings.Join(lines, "\n")
}

func TestDevicesAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		got  []Device
		want string
	}{
		"dshow": {dshowDevices(dshowNow), `camera C920: Pro = @device_pnp_\\?\usb#vid_046d&pid_082d
camera USB Video = USB Video
camera USB Video = @device_pnp_2
microphone Microphone "A" (Elgato Wave:3) = @device_cm_5
microphone Stereo Mix (Realtek) = Stereo Mix (Realtek) plays`},
		"dshow before 5": {dshowDevices(dshowOnce), "camera FaceTime HD Camera = FaceTime HD Camera\nmicrophone Headset Microphone = Headset Microphone"},
		"avfoundation": {avfDevices(avf), `camera FaceTime HD Camera = 0
screen Capture screen 0 = 1
screen Capture screen 1 = 2
microphone Built-in Microphone = 1
microphone BlackHole 2ch = 0 plays`},
		"pulse": {sources("pulse", pulse), `microphone Built-in Audio Analog Stereo = alsa_input.pci
microphone USB Microphone = alsa_input.usb
microphone Monitor of Built-in Audio = alsa_output.pci.monitor plays`},
		"alsa":    {sources("alsa", "Auto-detected sources for alsa:\n  null [Discard] (none)\n  hw:CARD=PCH,DEV=0 [HDA Intel] (none)\n"), "microphone HDA Intel = hw:CARD=PCH,DEV=0"},
		"nothing": {sources("pulse", "Auto-detected sources for pulse:\nCannot list sources: Generic error in an external library\n"), ""},
	} {
		if got := devices(c.got); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
	dir := t.TempDir()
	for node, about := range map[string][2]string{"video10": {"Late\n", "0\n"}, "video0": {"C920 \x1b[2J\n", "0\n"}, "video1": {"C920\n", "1\n"}, "video2": {"", "0\n"}} {
		at := filepath.Join(dir, node)
		if err := os.Mkdir(at, 0o700); err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"name", "index"} {
			if err := os.WriteFile(filepath.Join(at, name), []byte(about[i]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := devices(v4l2Devices(dir)); got != "camera C920 \ufffd[2J = /dev/video0\ncamera video2 = /dev/video2\ncamera Late = /dev/video10" {
		t.Error(got)
	}
}

func TestWhatIsFilmedAndHow(t *testing.T) {
	linux := System{OS: "linux", Display: ":0", Devices: append([]Device{{Kind: Camera, Name: "C920", ID: "/dev/video0"}, {Kind: Camera, Name: "C930", ID: "/dev/video2"}, {Kind: Screen, Name: "display :0", ID: ":0"}}, sources("pulse", pulse)...)}
	windows := System{OS: "windows", Devices: append(dshowDevices(dshowNow), Device{Kind: Screen, Name: "the whole desktop", ID: "0"})}
	mac := System{OS: "darwin", Devices: avfDevices(avf)}
	wayland := System{OS: "linux", Wayland: true}
	const each = "-thread_queue_size 512 "
	const both = each + "-use_wallclock_as_timestamps 1 "
	for _, c := range []struct {
		s     System
		w     Wish
		mjpeg bool
		want  string
	}{
		{linux, Wish{Kind: Screen}, false, both + "-f x11grab -framerate 30 -i :0 " + both + "-f pulse -i alsa_output.pci.monitor"},
		{linux, Wish{Kind: Screen, Sound: "none"}, false, each + "-f x11grab -framerate 30 -i :0"},
		{linux, Wish{Kind: Camera}, true, both + "-f v4l2 -framerate 30 -video_size 1280x720 -input_format mjpeg -i /dev/video0 " + both + "-f pulse -i alsa_input.pci"},
		{linux, Wish{Kind: Camera, Name: "c930", Sound: "usb"}, false, both + "-f v4l2 -framerate 30 -video_size 1280x720 -i /dev/video2 " + both + "-f pulse -i alsa_input.usb"},
		{linux, Wish{Kind: Camera, Name: "/dev/video2", Sound: "none"}, false, each + "-f v4l2 -framerate 30 -video_size 1280x720 -i /dev/video2"},
		{windows, Wish{Kind: Camera}, false, each + `-f dshow -rtbufsize 100M -framerate 30 -i video=@device_pnp_\\?\usb#vid_046d&pid_082d:audio=@device_cm_5`},
		{windows, Wish{Kind: Camera, Name: "2", Sound: "none"}, false, each + "-f dshow -rtbufsize 100M -framerate 30 -i video=@device_pnp_2"},
		{windows, Wish{Kind: Screen}, false, both + "-f gdigrab -framerate 30 -i desktop " + both + "-f dshow -rtbufsize 100M -audio_buffer_size 50 -i audio=Stereo Mix (Realtek)"},
		{mac, Wish{Kind: Camera}, false, each + "-f avfoundation -framerate 30 -i 0:1"},
		{mac, Wish{Kind: Screen, Name: "1"}, false, each + "-f avfoundation -framerate 30 -capture_cursor 1 -i 2:0"},
		{mac, Wish{Kind: Screen, Sound: "none"}, false, each + "-f avfoundation -framerate 30 -capture_cursor 1 -i 1:none"},

		{wayland, Wish{Kind: Screen}, false, ErrWayland.Error()},
		{wayland, Wish{Kind: Camera}, false, "this machine has no camera"},
		{linux, Wish{Kind: Camera, Name: "c9"}, false, `no camera, or more than one, is called "c9"`},
		{linux, Wish{Kind: Camera, Name: "7"}, false, `no camera, or more than one, is called "7"`},
		{linux, Wish{Kind: Camera, Sound: "\x1b[2J"}, false, `no microphone, or more than one, is called "\x1b[2J"`},
		{System{OS: "linux"}, Wish{Kind: Screen}, false, "there is no screen here"},
	} {
		f, err := c.s.filmed(c.w, c.mjpeg)
		got := strings.Join(f.Args, " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s %+v:\n%s\nwant\n%s", c.s.OS, c.w, got, c.want)
		}
	}
	f, _ := windows.filmed(Wish{Kind: Screen}, false)
	if got := strings.Join(f.grabbed().Args, " "); got != both+"-f lavfi -i ddagrab=framerate=30,hwdownload,format=bgra "+both+"-f dshow -rtbufsize 100M -audio_buffer_size 50 -i audio=Stereo Mix (Realtek)" {
		t.Error(got)
	}
}

func TestTwoDevicesHaveOneClock(t *testing.T) {
	f := Film{Args: []string{"-i", "a", "-i", "b"}, Apart: true, Sound: "x"}
	got := strings.Join(f.arguments(encoders[4], time.UnixMilli(1_700_000_000_123)), " ")
	want := "-vaapi_device /dev/dri/renderD128 -i a -i b -copyts -output_ts_offset -1700000000.123 -map 0:v:0 -vf scale=w='trunc(min(1920,iw)/2)*2':h=-2,format=nv12,hwupload -c:v h264_vaapi -b:v 6M -maxrate 6M -bf 0 -g 300 " +
		"-force_key_frames expr:if(isnan(prev_forced_t),1,gte(t,prev_forced_t+2)) -map 1:a:0 -af aresample=async=1000 -c:a aac -b:a 160k -ar 48000 -ac 2 -sn -dn -map_metadata -1 -map_chapters -1 -max_interleave_delta 500000 -flush_packets 1 -flvflags no_duration_filesize -f flv pipe:1"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if one := strings.Join(Film{Args: []string{"-i", "a"}}.arguments(encoders[5], time.Now()), " "); strings.Contains(one, "copyts") || strings.Contains(one, "aac") {
		t.Error(one)
	}
}

func TestANameIsNeitherAnOptionNorAProtocol(t *testing.T) {
	for _, name := range []string{"-i", "concat:a|b", "pipe:0", "a b.mp4", `C:\a.mp4`, "x.m3u8", "$(reboot)"} {
		args := fromFile(name)
		if n := len(args); args[n-2] != "-i" || args[n-1] != "file:"+name || args[1] != "file,crypto,data" {
			t.Errorf("%q", args)
		}
		for _, script := range []string{"concat", "hls", "image2", "lavfi", "tty", "x11grab"} {
			has := strings.Contains(","+args[3]+",", ","+script+",")
			if has != (script == "hls" && strings.HasSuffix(name, ".m3u8")) {
				t.Errorf("%s may be %s", name, script)
			}
		}
	}
	for scheme, of := range protocols {
		for _, p := range strings.Split(of, ",") {
			if p == "file" || p == "pipe" || p == "concat" || p == "subfile" || p == "unix" {
				t.Errorf("%s:// may lead to %s", scheme, p)
			}
		}
	}
	u, _ := url.Parse("RTSP://me:secret@cam:554/x?token=t0p")
	args, hide := fromURL(u)
	if strings.Join(hide, " ") != "rtsp://me:secret@cam:554/x?token=t0p rtsp://cam:554/x" || strings.Join(args[4:], " ") != "-rtsp_transport tcp -i rtsp://me:secret@cam:554/x?token=t0p" {
		t.Errorf("%q, %q", args, hide)
	}
	if u, _ := url.Parse("rist://h:1"); !Fetches(u.Scheme) || Fetches("file") || Fetches("concat") || Fetches("relay") || Fetches("") {
		t.Error("other schemes are fetched")
	}
}

func TestADeviceThatIsNotThereIsAnErrorOfItsOwn(t *testing.T) {
	_, err := System{OS: "linux", Devices: []Device{{Kind: Camera, Name: "A"}, {Kind: Camera, Name: "B"}}}.filmed(Wish{Kind: Camera, Name: "x"}, false)
	if p, ok := errors.AsType[*PickError](err); !ok || strings.Join(p.Names, ",") != "A,B" {
		t.Error(err)
	}
}
