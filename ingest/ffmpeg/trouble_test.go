package ffmpeg

import (
	"strings"
	"testing"
)

// What ffmpeg says, as it did on Linux with version 5.1 and as people have reported it from other systems.
func TestWhatFFmpegSaysIsKnown(t *testing.T) {
	for want, all := range map[Trouble][]string{
		Missing:      {"[error] file:none.mp4: No such file or directory"},
		Forbidden:    {"[error] file:a.mp4: Permission denied", "[video4linux2,v4l2 @ 0x1] [error] Cannot open the device\n[error] /dev/video0: Permission denied"},
		Busy:         {"[video4linux2,v4l2 @ 0x1] [error] ioctl(VIDIOC_STREAMON): Device or resource busy", "[dshow @ 0x1] [error] Could not run graph (sometimes caused by a device already in use by other application)\n[error] video=C920: I/O error"},
		NoDisplay:    {"[x11grab @ 0x55ac72afd8c0] [error] Cannot open display :77, error 1.\n[error] :77: Input/output error"},
		NoDevice:     {"[video4linux2,v4l2 @ 0x1] [error] Cannot open video device /dev/video9: No such file or directory\n[error] /dev/video9: No such file or directory", "[error] default: No such process", "[dshow @ 0x1] [error] Could not find video device with name [X] among source devices of type video.\n[error] video=X: I/O error", "[avfoundation @ 0x1] [error] Video device not found\n[error] 7: Input/output error"},
		NoSuchMode:   {"[avfoundation @ 0x1] [error] Selected framerate (29.970030) is not supported by the device.\n[avfoundation @ 0x1] [error] Supported modes:\n[error] 0: Input/output error", "[dshow @ 0x1] [error] Could not set video options\n[error] video=X: I/O error"},
		NoMedia:      {"[error] file:/etc/passwd: Invalid data found when processing input", "[hls @ 0x1] [error] Format not on whitelist 'mov'\n[error] a: Invalid argument"},
		Cut:          {"[mov,mp4,m4a,3gp,3g2,mj2 @ 0x1] [error] moov atom not found\n[error] file:a.mp4: Invalid data found when processing input"},
		Unauthorized: {"[rtsp @ 0x1] [error] method DESCRIBE failed: 401 Unauthorized\n[error] rtsp://h/x: Server returned 401 Unauthorized (authorization failed)"},
		Denied:       {"[https @ 0x1] [warning] HTTP error 403 Forbidden\n[error] https://h/x: Server returned 403 Forbidden (access denied)", "[error] https://h/x: Server returned 4XX Client Error, but not one of 40{0,1,3,4}"},
		NotFound:     {"[http @ 0x1] [warning] HTTP error 404 Not Found\n[error] http://h/x: Server returned 404 Not Found", "[rtsp @ 0x1] [error] method DESCRIBE failed: 404 Stream Not Found"},
		ServerError:  {"[error] http://h/x: Server returned 5XX Server Error reply"},
		Refused:      {"[tcp @ 0x564886df9e80] [error] Connection to tcp://127.0.0.1:1 failed: Connection refused\n[error] http://127.0.0.1:1/x: Connection refused"},
		Silent:       {"[error] rtsp://h/x: Connection timed out", "[srt @ 0x1] [error] Connection to srt://h:1 failed: Input/output error\n[error] srt://h:1: Input/output error"},
		NoHost:       {"[tcp @ 0x1] [error] Failed to resolve hostname nohost.invalid: Name or service not known\n[error] http://nohost.invalid/x: Input/output error"},
		NoProtocol:   {"[error] srt://h:1: Protocol not found\n[error] Did you mean file:srt://h:1?"},
		Elsewhere:    {"[http @ 0x1] [error] Protocol 'http' not on whitelist 'file,crypto,data'!\n[error] file:a.m3u8: Invalid argument"},
		NoFormat:     {"[fatal] Unknown input format: 'dshow'"},
		NoEncoder:    {"[fatal] Unknown encoder 'libx264'", "[error] Error while opening encoder for output stream #0:0 - maybe incorrect parameters such as bit_rate, rate, width or height"},
		NoOption:     {"[fatal] Unrecognized option 'isync'.\n[fatal] Error splitting the argument list: Option not found"},
		NoMemory:     {"[error] file:a.mkv: Cannot allocate memory"},
		Unknown:      {"[error] something new"},
	} {
		for _, text := range all {
			s := newSaid(Job{})
			_, _ = s.Write([]byte(text))
			e := s.failed()
			if e.Trouble != want {
				t.Errorf("%q is %q, want %q", text, e.Trouble, want)
			}
			if e.Error() == "" || want != Unknown && strings.Contains(e.Error(), "[") {
				t.Errorf("%q is told as %q", text, e.Error())
			}
		}
	}
	if e := (&Error{Line: "[srt @ 0x1] [error] something new"}); e.Error() != "ffmpeg has given up, and said: something new" {
		t.Error(e.Error())
	}
	for _, s := range signs {
		if sentences[s.trouble] == "" {
			t.Errorf("%s has no sentence", s.trouble)
		}
	}
}

func TestWhatFFmpegSaysIsBoundedAndHidesSecrets(t *testing.T) {
	var heard []string
	s := newSaid(Job{Hide: []string{"rtsp://u:secret@h/x?token=t0p", "rtsp://h/x"}, Said: func(l string) { heard = append(heard, l) }})
	for range 1000 {
		_, _ = s.Write([]byte("[error] " + strings.Repeat("x", 10_000) + "\n"))
	}
	if len(s.lines) != linesKept || len(s.lines[0]) > lineMost+3 || cap(s.part) > 8*lineMost {
		t.Errorf("%d lines of %d bytes are kept, and %d of a part", len(s.lines), len(s.lines[0]), cap(s.part))
	}
	for _, part := range []string{"[error] rtsp://u:secret@h/x?to", "ken=t0p: \x1b[2Jno\r", "[error] http://me:secret@proxy/: no\n"} {
		_, _ = s.Write([]byte(part))
	}
	if got := strings.Join(heard[1000:], "|"); got != "[error] rtsp://h/x: \ufffd[2Jno|[error] http://***@proxy/: no" {
		t.Errorf("%q", got)
	}
}

func TestNothingOfRelaysOwnGoesToFFmpeg(t *testing.T) {
	got := environment([]string{"PATH=/bin", "RELAY_KEY=secret", "FFREPORT=file=x", "AV_LOG_FORCE_COLOR=1", "DISPLAY=:0"})
	if strings.Join(got, " ") != "PATH=/bin DISPLAY=:0" {
		t.Error(got)
	}
}
