package input

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"relay/cli/fault"
	"relay/ingest/convert"
	"relay/ingest/elementary"
	"relay/ingest/flv"
	"relay/ingest/mkv"
	"relay/ingest/mp4"
	"relay/ingest/mpegts"
	"relay/ingest/pcpin"
	"relay/relay/hostnet"
)

// Explain adds to an error of the input what to do next.
func (in Input) Explain(err error) error {
	if e := in.ofFFmpeg(err); e != nil {
		return e
	}
	if not, ok := errors.AsType[*flv.NotFLVError](err); ok && not.Looks == "nothing at all" && in.Path != "" {
		return fault.Fail("did the program that made it fail? Run it alone to see", "%s is empty", in.Path)
	}
	if fi, no := os.Stat(in.Path); no == nil && fi.IsDir() { // with nothing in it that was kept of a channel
		return fault.Fail(inFolder(in.Path), "%s is a folder", in.Path)
	}
	return &fault.Error{Err: err, Hint: in.next(err), Code: fault.ExitRuntime}
}

// next says what to do about an error of the input, "" for nothing.
func (in Input) next(err error) string {
	var not *flv.NotFLVError
	switch {
	case in.PeerCast != nil:
		return in.notFromPeerCast(err)
	case in.Camera != nil:
		return in.notFromCamera(err)
	case errors.As(err, &not) && not.Looks == "nothing at all":
		return "did the program that makes the stream fail? Run it alone to see"
	case errors.As(err, &not) && in.URL != nil && not.Looks == "HTML":
		return "that is a page. To watch a channel of relay: relay watch " + in.URL.Scheme + "://" + in.URL.Host + in.URL.Path + ". To broadcast a stream, name its own address, as in http://host/live.flv"
	case errors.As(err, &not) && in.URL != nil:
		return "relay takes FLV, Matroska, MP4 and MPEG-TS; to convert: ffmpeg -i " + quoted(in.URL.Redacted()) + " -c copy -f flv - | relay source -"
	case errors.As(err, &not) && in.Path != "" && (not.Looks == "HTML" || not.Looks == "text"):
		return "is that the right file? relay source broadcasts video and sound"
	case errors.As(err, &not) && in.Path != "":
		return "relay takes FLV, Matroska, MP4 and MPEG-TS; " + converting(in.Path, in.Loop)
	case errors.As(err, &not):
		return "relay takes FLV, Matroska, MP4 and MPEG-TS; to convert: ffmpeg -re -i INPUT -c copy -f flv - | relay source -"
	case in.ofMedia(err) != "":
		return in.ofMedia(err)
	case errors.Is(err, flv.ErrFormat) && in.Path != "":
		return "to mend it: ffmpeg -i " + quoted(in.Path) + " -c copy mended.flv"
	case errors.Is(err, fs.ErrNotExist) && in.Path != "":
		return missing(in.Path)
	case errors.Is(err, fs.ErrPermission) && in.Path != "":
		return "is it yours, and may you open the folders that it is in?"
	case in.UDP != nil:
		return taken(err)
	case in.SRT != nil:
		return notOverSRT(err)
	case in.URL != nil:
		return unfetched(err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "did the program that makes the stream fail? Run it alone to see"
	}
	return ""
}

// ofMedia says what to do about an error of MPEG-TS, Matroska or MP4, "" for what is none.
func (in Input) ofMedia(err error) string {
	_, program := errors.AsType[*mpegts.ProgramError](err)
	name := "INPUT"
	switch {
	case in.URL != nil:
		name = quoted(in.URL.Redacted())
	case in.Path != "":
		name = quoted(in.Path)
	}
	switch {
	case errors.Is(err, convert.ErrNotCarried):
		return "have the sender make it H.264 and AAC, or: ffmpeg -re -i " + name + " -c:v libx264 -c:a aac -f mpegts - | relay source -"
	case program:
		return "name one of these, or leave ?program= out for the first"
	case errors.Is(err, mp4.ErrUnfinished):
		return "what recorded it was ended before it could write that. A tool such as untrunc may mend it, with a whole file of the same camera or program beside it; of MKV, which OBS records as well, all up to a crash can be read"
	case errors.Is(err, mp4.ErrTableLast):
		return "name the file, which is read at any place: relay source clip.mp4; or put it in front: ffmpeg -i clip.mp4 -c copy -movflags faststart new.mp4"
	case errors.Is(err, mp4.ErrPiece):
		return "its beginning is a file by itself, called init.mp4 as a rule, that has to come first: cat init.mp4 piece.m4s | relay source -"
	case errors.Is(err, mkv.ErrEncrypted), errors.Is(err, mp4.ErrEncrypted):
		return "whoever made it has encrypted it, as shops and subscriptions do; only their own player can open it"
	case errors.Is(err, mpegts.ErrScrambled):
		return "whoever sends it has encrypted it, as pay TV is; only their own receiver can open it"
	case errors.Is(err, mpegts.ErrNoProgram), errors.Is(err, mpegts.ErrNothing), errors.Is(err, mpegts.ErrLost),
		errors.Is(err, mkv.ErrNoTracks), errors.Is(err, mkv.ErrNothing), errors.Is(err, mkv.ErrLost),
		errors.Is(err, mp4.ErrFormat), errors.Is(err, mp4.ErrNothing), errors.Is(err, elementary.ErrNothing):
		return "is it whole? To mend it: ffmpeg -i " + name + " -c copy -f mpegts - | relay source -"
	}
	return ""
}

// taken says what to do where MPEG-TS over UDP cannot be taken.
func taken(err error) string {
	if hostnet.InUse(err) {
		return "another program listens at that port: end it, or have the sender take another port"
	}
	return "is the address a group, or one of this machine? udp://:1234 takes what is sent to any of its addresses"
}

// notFromPeerCast says what to do where a channel of PeerCast's does not come.
func (in Input) notFromPeerCast(err error) string {
	if _, ok := errors.AsType[*pcpin.TypeError](err); ok || errors.Is(err, convert.ErrNotCarried) {
		id := in.PeerCast.Channel.String()
		return "a PeerCast of your own can give it to ffmpeg: ffmpeg -i http://127.0.0.1:7144/stream/" + id + " -c:v libx264 -c:a aac -f flv - | relay source -"
	}
	switch {
	case errors.Is(err, pcpin.ErrFull), errors.Is(err, pcpin.ErrFullAll):
		return "try again in a while: places get free as others leave"
	case errors.Is(err, pcpin.ErrNotThere), errors.Is(err, pcpin.ErrOffAir):
		return "is the channel still on? Each broadcast has an address of its own: copy it again from the index page"
	case errors.Is(err, pcpin.ErrNotPeerCast):
		return "the address needs the port of a PeerCast, 7144 as a rule, and not that of a page"
	case errors.Is(err, pcpin.ErrSelf):
		return "name the PeerCast that has the channel, and not this relay"
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok && d.IsNotFound {
		return "is the host's name right? Copy the address again"
	}
	return "is the address right, and is the channel on now? Copy it again from the index page"
}

// unfetched says what to do where the first attempt to fetch a stream has failed.
func unfetched(err error) string {
	if d, ok := errors.AsType[*net.DNSError](err); ok && d.IsNotFound {
		return "is the host's name right? Copy the address again"
	}
	return "is the address right, and is a stream sent there now? relay source alone waits for an encoder on this machine"
}

// address is what is written like a host, perhaps with a port, and a path.
var address = regexp.MustCompile(`^([A-Za-z0-9-]+\.)+[A-Za-z0-9-]+(:[0-9]+)?/[^/]+`)

// missing says what may have been meant by a file that is not there.
func missing(path string) string {
	dir, name := filepath.Split(path)
	found, _ := filepath.Glob(filepath.Join(dir, "*"))
	for i, f := range found {
		found[i] = filepath.Base(f)
	}
	switch near := fault.Nearest(name, found); {
	case near != "":
		return "did you mean " + quoted(dir+near) + "?"
	case address.MatchString(path) && strings.HasSuffix(path, ".flv"):
		return "for a stream on the network: relay source http://" + path
	case address.MatchString(path):
		return "for a stream on the network: relay source rtmp://" + path
	case filepath.Ext(path) == "":
		return "relay source alone waits for OBS or ffmpeg; --title " + quoted(name) + " gives the channel a title"
	}
	return "is its name whole, with the folder that it is in? relay source alone waits for OBS or ffmpeg"
}

// converting says how to broadcast a file that is no FLV.
func converting(path string, loop bool) string {
	repeat := ""
	if loop {
		repeat = "-stream_loop -1 "
	}
	return "to convert: ffmpeg -re " + repeat + "-i " + quoted(path) + " -c copy -f flv - | relay source -"
}

// plainWord is what a shell takes as it is.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoted writes a word so that a shell takes it as one.
func quoted(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
