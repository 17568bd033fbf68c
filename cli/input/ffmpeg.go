package input

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path"
	"runtime"
	"strings"

	"go.uber.org/zap"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/ingest"
	"relay/ingest/elementary"
	"relay/ingest/ffmpeg"
	"relay/ingest/flv"
	"relay/ingest/mpegts"
	"relay/ingest/rtspin"
	"relay/ingest/sample"
)

// Runner reads an input, until ctx ends or the input does.
type Runner interface {
	Run(ctx context.Context) error
}

// foreign reports whether a file is none that relay reads itself. What looks like a text is not for ffmpeg either.
func (in Input) foreign() bool {
	f, err := os.Open(in.Path)
	if err != nil {
		return false // whoever opens it next says why
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		return false
	}
	return forFFmpeg(ingest.Known(f))
}

// forFFmpeg reports whether an error says that an input is not for relay itself, and may be for ffmpeg: another format,
// or codecs that cannot be carried as they are.
func forFFmpeg(err error) bool {
	if not, ok := errors.AsType[*flv.NotFLVError](err); ok {
		return not.Looks != "nothing at all" && not.Looks != "HTML" && not.Looks != "text"
	}
	_, ofTS := errors.AsType[*mpegts.CodecError](err)
	_, ofFile := errors.AsType[*sample.CodecError](err)
	_, ofCamera := errors.AsType[*rtspin.CodecError](err)
	return ofTS || ofFile || ofCamera || errors.Is(err, elementary.ErrNothing)
}

// reader is who reads an input.
type reader int

const (
	byRelay  reader = iota // itself
	byEither               // by relay, and by ffmpeg where it does not know what comes
	byFFmpeg
)

// reader says who reads the input. Of what relay fetches itself, ffmpeg is given nothing that would show a password to
// others on this machine, or take any certificate for a camera's.
func (in Input) reader() reader {
	switch {
	case in.Film != nil, in.Path != "" && in.foreign():
		return byFFmpeg
	case in.URL == nil, in.UDP != nil, in.SRT != nil, strings.EqualFold(in.URL.Scheme, "rtmp"):
		return byRelay
	case isPlaylist(in.URL):
		return byFFmpeg
	case in.Camera != nil && in.URL.Scheme == "rtsp", strings.HasPrefix(in.URL.Scheme, "http"):
		if in.hasPassword() {
			return byRelay
		}
		return byEither
	case in.Camera != nil:
		return byRelay
	}
	return byFFmpeg
}

func (in Input) hasPassword() bool {
	if in.URL == nil || in.URL.User == nil {
		return false
	}
	_, has := in.URL.User.Password()
	return has
}

// ByFFmpeg returns what has ffmpeg read the input, or film it; nil if relay reads that itself. native is what would
// read it.
func (in Input) ByFFmpeg(native Runner, open ingest.Opener, log *zap.Logger) Runner {
	f := &front{in: in, open: open, log: log}
	switch in.reader() {
	case byFFmpeg:
		return f
	case byEither:
		return either{native, f}
	}
	return nil
}

func isPlaylist(u *url.URL) bool {
	ext := strings.ToLower(path.Ext(u.Path))
	return strings.HasPrefix(u.Scheme, "http") && (ext == ".m3u8" || ext == ".mpd")
}

// either has ffmpeg try what relay itself does not know when it comes.
type either struct {
	native Runner
	f      *front
}

// Run implements Runner.
func (e either) Run(ctx context.Context) error {
	err := e.native.Run(ctx)
	if forFFmpeg(err) {
		return e.f.Run(ctx)
	}
	return err
}

// front has ffmpeg read or film an input.
type front struct {
	in   Input
	open ingest.Opener
	log  *zap.Logger
}

// Run implements Runner. ffmpeg is looked for only now, when it is needed.
func (f *front) Run(ctx context.Context) error {
	p, err := ffmpeg.Find(ctx)
	if err != nil {
		return err
	}
	enc := &ffmpeg.Encoders{Program: p}
	run := ingest.FFmpeg{Program: p, Name: f.in.name(), Loop: f.in.Loop, Open: f.open, Log: f.log}
	run.Source = func(ctx context.Context) (src ffmpeg.Source, err error) {
		switch {
		case f.in.Film != nil:
			src, err = enc.Film(ctx, *f.in.Film)
		case f.in.URL != nil:
			src, err = enc.ReadURL(ctx, f.in.URL, f.in.AAC)
		default:
			src, err = enc.ReadFile(ctx, f.in.Path, f.in.AAC)
		}
		if err == nil {
			f.log.Info("ffmpeg reads", zap.String("from", run.Name), zap.String("version", p.Version), zap.String("container", src.Output.Container),
				zap.Bool("copies_video", src.Output.CopyVideo), zap.Bool("copies_sound", src.Output.CopySound), zap.String("encoder", src.Encoder.Name))
		}
		return src, err
	}
	return run.Run(ctx)
}

// With takes what --mic and --audio say.
func (in *Input) With(mic, audio string) error {
	switch {
	case audio != "" && audio != "aac":
		return fault.Usage("--audio aac is all there is: without --audio, sound is sent as it comes", "%q is no codec for --audio", audio)
	case mic != "" && in.Film == nil:
		return fault.Usage("as in relay source camera --mic 1; the sound of all else comes with it", "--mic goes with camera or screen")
	case mic != "":
		in.Film.Sound = mic
	}
	in.AAC = audio != ""
	return nil
}

// MadeAAC returns what makes AAC of the input's sound beside it, nil if nothing is to. Without an ffmpeg that is an
// error.
func (in Input) MadeAAC(ctx context.Context, log *zap.Logger) (*ingest.AAC, error) {
	if !in.AAC {
		return nil, nil
	}
	p, err := ffmpeg.Find(ctx)
	if errors.Is(err, ffmpeg.ErrNone) {
		return nil, fault.Fail(Install(runtime.GOOS), "--audio aac needs ffmpeg, which is not installed, or not on PATH")
	}
	if err != nil {
		return nil, in.ofFFmpeg(err)
	}
	return &ingest.AAC{Program: p, Log: log}, nil
}

// name is the input as it may be shown.
func (in Input) name() string {
	switch {
	case in.Film != nil:
		return "the " + string(in.Film.Kind)
	case in.URL != nil:
		return in.URL.Host
	}
	return in.Path
}

// Seen reports whether ffmpeg is given a password in an address, which others on this machine can see while it runs.
func (in Input) Seen() bool { return in.hasPassword() && in.reader() == byFFmpeg }

// Install says how to get ffmpeg on a system.
func Install(goos string) string {
	switch goos {
	case "windows":
		return "install it, then open a new window: winget install Gyan.FFmpeg"
	case "darwin":
		return "install it: brew install ffmpeg"
	}
	return "install it: sudo apt install ffmpeg (Debian, Ubuntu), sudo dnf install ffmpeg-free (Fedora), sudo pacman -S ffmpeg (Arch)"
}

// hints say what to do about each trouble of ffmpeg's. What is not here has nothing to be done about, or depends on the
// input.
var hints = map[ffmpeg.Trouble]string{
	ffmpeg.Unknown:      "relay source with --verbose shows all that ffmpeg says",
	ffmpeg.Broken:       "does ffmpeg -version work? Install it anew if not",
	ffmpeg.Busy:         "close the program that films with it (a browser, a call), or take another: relay doctor lists them",
	ffmpeg.NoDisplay:    "is this a terminal on the desktop itself, and not ssh? The browser can film it too: relay source, then the address for filming that it prints",
	ffmpeg.NoDevice:     "relay doctor lists what there is; plug it in, or name another, as in relay source camera:1",
	ffmpeg.NoPrivacy:    "allow the terminal to use camera, microphone and screen in the system's privacy settings, and start it anew",
	ffmpeg.NoSuchMode:   "film with the browser, which asks the camera what it can do: relay source, then the address for filming that it prints",
	ffmpeg.NoStream:     "is that the right file or address? relay source broadcasts video and sound",
	ffmpeg.NoMedia:      "is that the right file or address? relay source broadcasts video and sound",
	ffmpeg.Cut:          "the program that recorded it was ended before it was done; if it was OBS, have it record MKV or FLV, which need no end",
	ffmpeg.Forbidden:    "may you open it? Cameras on Linux are for the group video: sudo usermod -aG video $USER, then log in anew",
	ffmpeg.Unauthorized: "put both into the address, as in rtsp://name:password@host/path",
	ffmpeg.Denied:       "some servers give a stream only to their own page or app, or only for a while: copy the address again",
	ffmpeg.NotFound:     "copy the address again; is it on now?",
	ffmpeg.ServerError:  "try again in a while",
	ffmpeg.Refused:      "is the address right, port and all, and is it on?",
	ffmpeg.Silent:       "is the address right, is it on, and does a firewall let it through?",
	ffmpeg.NoHost:       "is the host's name right? Copy the address again",
	ffmpeg.NoRoute:      "is this machine online, and in the network of that address?",
	ffmpeg.BadTLS:       "is this machine's clock right, and the address the one for which the certificate was made?",
	ffmpeg.NoProtocol:   "another build of ffmpeg may have it: ffmpeg -protocols lists those of this one",
	ffmpeg.Elsewhere:    "give the address of the stream itself, or of the playlist at its server: a playlist in a file may name files beside it alone",
	ffmpeg.NoFormat:     "a full build has it: that of your system's packages, or one that ffmpeg.org/download links to",
	ffmpeg.NoDecoder:    "a full build has it: that of your system's packages, or one that ffmpeg.org/download links to",
	ffmpeg.NoEncoder:    "a full build has libx264: that of your system's packages, or one that ffmpeg.org/download links to",
	ffmpeg.NoOption:     "relay needs ffmpeg 4.4 or later: ffmpeg -version says which this is",
	ffmpeg.NoMemory:     "close other programs, and try again",
	ffmpeg.Encrypted:    "only players that have its key can open it",
}

// ofFFmpeg returns what an error of ffmpeg's is, with the input's name, and what to do; nil for another error.
func (in Input) ofFFmpeg(err error) error {
	switch {
	case errors.Is(err, ffmpeg.ErrNone) && in.Film != nil:
		return fault.Fail(Install(runtime.GOOS), "to film, relay needs ffmpeg, which is not installed, or not on PATH. The browser films without it: run relay source alone, and open the address for filming that it prints")
	case errors.Is(err, ffmpeg.ErrNone):
		return fault.Fail(Install(runtime.GOOS), "%s: for this relay needs ffmpeg, which is not installed, or not on PATH", term.Clean(in.name()))
	}
	if errors.Is(err, ffmpeg.ErrWayland) {
		return fault.Fail("film with the browser, which asks you: relay source, then the address for filming that it prints", "%w", err)
	}
	if pick, ok := errors.AsType[*ffmpeg.PickError](err); ok {
		if len(pick.Names) == 0 {
			return fault.Fail("plug it in, or connect it; relay doctor lists what ffmpeg finds", "%w", err)
		}
		return fault.Fail("take one of these, by its number from 0 or a part of its name: "+term.Clean(strings.Join(pick.Names, ", ")), "%w", err)
	}
	e, ok := errors.AsType[*ffmpeg.Error](err)
	if !ok {
		return nil
	}
	if in.Film != nil {
		return fault.Fail(hints[e.Trouble], "%w", e)
	}
	return fault.Fail(hints[e.Trouble], "%s: %w", term.Clean(in.name()), e)
}
