package ffmpeg

import (
	"regexp"
	"strings"
	"sync"

	"relay/relay/oneline"
)

// Trouble is why ffmpeg could not do what it should, by what it says.
type Trouble string

// Troubles. Unknown is what is none of the others.
const (
	Unknown      Trouble = ""
	Broken       Trouble = "broken" // ffmpeg itself does not start
	Missing      Trouble = "missing"
	Forbidden    Trouble = "forbidden" // by the system
	Busy         Trouble = "busy"
	NoDisplay    Trouble = "no_display"
	NoDevice     Trouble = "no_device"
	NoPrivacy    Trouble = "no_privacy" // macOS and Windows ask the user, who has said no
	NoSuchMode   Trouble = "no_such_mode"
	NoMedia      Trouble = "no_media" // it is no video and no sound
	NoStream     Trouble = "no_stream"
	Cut          Trouble = "cut" // an MP4 without its table
	Unauthorized Trouble = "unauthorized"
	Denied       Trouble = "denied" // by the server
	NotFound     Trouble = "not_found"
	ServerError  Trouble = "server_error"
	Refused      Trouble = "refused"
	Silent       Trouble = "silent"
	NoHost       Trouble = "no_host"
	NoRoute      Trouble = "no_route"
	BadTLS       Trouble = "bad_tls"
	NoProtocol   Trouble = "no_protocol"
	Elsewhere    Trouble = "elsewhere" // a playlist names what it may not
	NoFormat     Trouble = "no_format"
	NoDecoder    Trouble = "no_decoder"
	NoEncoder    Trouble = "no_encoder"
	NoOption     Trouble = "no_option" // of another version than those that are known
	NoMemory     Trouble = "no_memory"
	Encrypted    Trouble = "encrypted"
)

// signs are what ffmpeg says, by which a trouble is known: the first that is in any of its lines counts, so what says
// more stands before what only follows from it ("Input/output error" comes with most).
var signs = []struct {
	text    string
	trouble Trouble
}{
	{"annot open display", NoDisplay},
	{"Can't open display", NoDisplay},
	{"BadMatch", NoDisplay},
	{"evice or resource busy", Busy},
	{"already in use", Busy},
	{"used by another application", Busy},
	{"annot use FaceTime", NoPrivacy},
	{"not authorized to capture", NoPrivacy},
	{"Failed to create AV capture input device", NoPrivacy},
	{"Selected framerate", NoSuchMode},
	{"Could not set video options", NoSuchMode},
	{"Cannot find a proper format", NoSuchMode},
	{"Could not find video device", NoDevice},
	{"Could not find audio device", NoDevice},
	{"Could not find audio only device", NoDevice},
	{"Video device not found", NoDevice},
	{"Audio device not found", NoDevice},
	{"Cannot open video device", NoDevice},
	{"No such device", NoDevice},
	{"cannot open audio device", NoDevice},
	{"No such process", NoDevice}, // PulseAudio
	{"Malformed dshow input string", NoDevice},
	{"401 Unauthorized", Unauthorized},
	{"authorization failed", Unauthorized},
	{"403 Forbidden", Denied},
	{"404 Not Found", NotFound},
	{"404 Stream Not Found", NotFound},
	{"Server returned 4", Denied},
	{"Server returned 5", ServerError},
	{"method DESCRIBE failed", ServerError},
	{"Connection refused", Refused},
	{"timed out", Silent},
	{"Connection to srt", Silent},
	{"Failed to resolve hostname", NoHost},
	{"Name or service not known", NoHost},
	{"No route to host", NoRoute},
	{"Network is unreachable", NoRoute},
	{"certificate", BadTLS},
	{"TLS", BadTLS},
	{"Protocol not found", NoProtocol},
	{"not on whitelist", Elsewhere}, // "Format" is told apart below
	{"moov atom not found", Cut},
	{"encrypted", Encrypted},
	{"No such file or directory", Missing},
	{"Permission denied", Forbidden},
	{"Operation not permitted", Forbidden},
	{"Unknown input format", NoFormat},
	{"Unknown encoder", NoEncoder},
	{"Error while opening encoder", NoEncoder},
	{"Unrecognized option", NoOption},
	{"Option not found", NoOption},
	{"no decoder found", NoDecoder},
	{"Decoder (codec", NoDecoder},
	{"ecoding requested, but no decoder", NoDecoder},
	{"Cannot allocate memory", NoMemory},
	{"does not contain any stream", NoStream},
	{"matches no streams", NoStream},
	{"Invalid data found", NoMedia},
	{"End of file", NoMedia},
}

// troubleIn is the trouble that lines of ffmpeg's tell of.
func troubleIn(lines []string) Trouble {
	for _, s := range signs {
		for _, l := range lines {
			if strings.Contains(l, s.text) {
				if s.trouble == Elsewhere && strings.Contains(l, "Format not on") {
					return NoMedia
				}
				return s.trouble
			}
		}
	}
	return Unknown
}

// Error says that ffmpeg could not do what it should.
type Error struct {
	Trouble Trouble
	Line    string // the last that it said of it, for people: one line, cleaned; may be ""
}

// sentences say each trouble.
var sentences = map[Trouble]string{
	Unknown:      "ffmpeg has given up",
	Broken:       "the ffmpeg on PATH does not start",
	Missing:      "ffmpeg finds no such file",
	Forbidden:    "the system does not let ffmpeg open it",
	Busy:         "another program has the device",
	NoDisplay:    "ffmpeg cannot open the screen",
	NoDevice:     "there is no such camera, microphone or screen",
	NoPrivacy:    "the system does not let ffmpeg film",
	NoSuchMode:   "the device does not film in the size or at the rate that it was asked for",
	NoMedia:      "ffmpeg finds no video and no sound in it",
	NoStream:     "it has neither video nor sound",
	Cut:          "it is an MP4 that was cut off before its end was written",
	Unauthorized: "the server wants a name and a password, or others than these",
	Denied:       "the server does not give it to you",
	NotFound:     "the server has nothing at that address",
	ServerError:  "the server has failed",
	Refused:      "nothing listens on that port",
	Silent:       "the server does not answer",
	NoHost:       "there is no host of that name",
	NoRoute:      "there is no way to that host",
	BadTLS:       "the server's certificate does not hold",
	NoProtocol:   "the ffmpeg on PATH cannot fetch from such an address",
	Elsewhere:    "the playlist leads to where it should not: to a file of this machine, or out of it",
	NoFormat:     "the ffmpeg on PATH was built without what this needs",
	NoDecoder:    "the ffmpeg on PATH cannot decode it",
	NoEncoder:    "the ffmpeg on PATH has no encoder that works here",
	NoOption:     "the ffmpeg on PATH is too old or too new: it does not know an option",
	NoMemory:     "there is not enough memory",
	Encrypted:    "it is encrypted",
}

// Error says what the trouble is, and of one that is not known what ffmpeg has said.
func (e *Error) Error() string {
	if said := fromPart.ReplaceAllString(e.Line, ""); e.Trouble == Unknown && said != "" {
		return sentences[Unknown] + ", and said: " + said
	}
	return sentences[e.Trouble]
}

// fromPart is what ffmpeg puts in front of a line: which of its parts says it, and how bad it is.
var fromPart = regexp.MustCompile(`^(\[[^\]]*\] )+`)

const (
	// linesKept and lineMost bound what is kept of what ffmpeg says: its last lines, each cut, in bytes.
	linesKept = 20
	lineMost  = 300
)

// said is what ffmpeg says on its standard error.
type said struct {
	hide *strings.Replacer
	hear func(string)

	mu    sync.Mutex
	part  []byte // of a line that has not ended
	lines []string
}

func newSaid(j Job) *said {
	return &said{hide: strings.NewReplacer(j.Hide...), hear: j.Said}
}

// Write implements io.Writer. It never fails, and keeps no more than its bounds.
func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range b {
		switch {
		case c == '\n' || c == '\r':
			s.line()
		case len(s.part) < 4*lineMost: // what is hidden may be longer than what is shown
			s.part = append(s.part, c)
		}
	}
	return len(b), nil
}

// userinfo is a name and a password in an address.
var userinfo = regexp.MustCompile(`://[^/?#\s]*@`)

// line ends a line. It is called with mu held.
func (s *said) line() {
	l := oneline.Clean(userinfo.ReplaceAllString(s.hide.Replace(string(s.part)), "://***@"), lineMost)
	s.part = s.part[:0]
	if l == "" {
		return
	}
	if s.hear != nil {
		s.hear(l)
	}
	if len(s.lines) == linesKept {
		s.lines = s.lines[1:]
	}
	s.lines = append(s.lines, l)
}

// failed is the error of a run that has failed.
func (s *said) failed() *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line()
	e := &Error{Trouble: troubleIn(s.lines)}
	for _, l := range s.lines {
		if strings.Contains(l, "[error]") || strings.Contains(l, "[fatal]") || e.Line == "" {
			e.Line = l
		}
	}
	return e
}
