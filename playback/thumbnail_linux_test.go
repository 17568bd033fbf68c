package playback

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// confined runs a shell in the sandbox.
func confined(t *testing.T, script, in string, most int64) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := sandboxed(exec.CommandContext(ctx, "/bin/sh", "-c", script), []byte(in), most)
	if errors.Is(err, errNoSandbox) {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return string(out), err
}

func TestASandboxedProgramHasNothingBesideItsInput(t *testing.T) {
	t.Setenv("RELAY_KEY", "s3cret")
	cat, err := confined(t, "cat", "in and out", 100)
	if err != nil || cat != "in and out" {
		t.Fatalf("%q, %v", cat, err)
	}
	for what, c := range map[string]struct{ script, want string }{
		"user":         {"id -u; id -g", "65534\n65534\n"},
		"network":      {"sed 1,2d /proc/net/dev | grep -v lo: ; sed 1d /proc/net/route", ""},
		"environment":  {"echo $RELAY_KEY", "\n"},
		"capabilities": {"grep CapEff /proc/self/status", "CapEff:\t0000000000000000\n"},
		"process":      {"echo $$", "1\n"},
		"files":        {"ulimit -n; ulimit -f", "16\n0\n"},
		"time":         {"ulimit -t", "4\n"},
	} {
		if got, _ := confined(t, "read x; ("+c.script+") 2>/dev/null", "once it is bound\n", 1000); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
	name := t.TempDir() + "/written"
	os.Chmod(t.TempDir(), 0o777)
	confined(t, "read x; echo x > "+name, "\n", 10)
	if b, _ := os.ReadFile(name); len(b) > 0 {
		t.Error("it has written a file")
	}
	if out, err := confined(t, "yes", "", 1000); err == nil || len(out) > 1001 {
		t.Errorf("it writes for ever: %d bytes, %v", len(out), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := sandboxed(exec.CommandContext(ctx, "sleep", "1000"), nil, 10); err == nil {
		t.Error("it outlives its context")
	}
}

func TestAThumbnailIsMadeInTheSandbox(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	confined(t, "true", "", 10) // or it is skipped
	tags := demoClip(t)
	var clip bytes.Buffer
	clip.WriteString("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
	for _, tag := range tags[:min(30, len(tags))] {
		clip.Write(tag)
	}
	out, err := shrink(t.Context(), clip.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if img, err := jpeg.Decode(bytes.NewReader(out)); err != nil || img.Bounds().Dx() != 480 {
		t.Errorf("no small picture: %v", err)
	}
	for name, hostile := range map[string]string{
		"nothing": "", "garbage": strings.Repeat("\x00\xff", 1<<16),
		"a playlist": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
		"half":       clip.String()[:clip.Len()/8],
	} {
		if out, err := shrink(t.Context(), []byte(hostile)); err == nil && !strings.HasPrefix(string(out), "\xff\xd8") {
			t.Errorf("%s: %q", name, out)
		}
	}
}
