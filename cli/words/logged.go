package words

import (
	"fmt"
	"strings"

	"go.uber.org/zap/zapcore"

	"relay/cli/fault"
	"relay/cli/term"
)

// logged is what the log warns of, as a person reads it who has not asked for the log: by the message, with the
// fields of the entry in braces. What is "" is told elsewhere.
var logged = map[string]string{
	"another sends to the same port":           "{other} sends to {from} as well, where {first} does; relay keeps to the first until that has sent nothing for 2 s",
	"decoding times that cannot be":            "{from} has pictures whose decoding times cannot be: they go back, or are seconds away from when the picture is shown. relay makes others of them and goes on; if the picture stutters, see to the sender's clock, or leave out its B-frames",
	"frames that are too long":                 "{from} has frames of more than 16 MB, which are left out",
	"frames without a time":                    "{from} has frames that do not say when they are shown, which are left out",
	"no frame in a part of the sound":          "some of the sound of {from} is cut or damaged, and left out",
	"no picture in a unit of video":            "some of the video of {from} holds no picture, and is left out",
	"nothing is sent there":                    "nothing has come to {from} for 10 s. relay goes on waiting: does the sender send to this machine's address and that port, and does a firewall let UDP in?",
	"packets are scrambled":                    "{from} is scrambled (encrypted) now, and nothing can be sent of it until it is not",
	"sound is not made AAC now":                "ffmpeg, which makes AAC of the sound, has ended ({error}). It is started again; until then there is no sound",
	"sound is sent as it comes":                "ffmpeg cannot be kept running ({error}), so the sound goes out as it comes in, and not as AAC, until the encoder begins anew",
	"sound that cannot be carried":             "{from} has {which}, which relay cannot carry, so the channel is without sound. Have the sender make it AAC, Opus, MP3 or AC-3",
	"what is sent there is of no use":          "what comes to {from} cannot be broadcast: {error}. relay carries H.264, HEVC, AAC, Opus, MP3 and AC-3 in MPEG-TS, and goes on waiting",
	"a part cannot be read":                    "a part of {from} is damaged, and left out",
	"a part is cut out":                        "{from} is cut and put together anew by its list of edits, of which relay keeps where it begins and ends. To have it as it is cut, let ffmpeg make a new file of it",
	"pictures are to be turned":                "{from} says that its pictures are to be turned, as phones do that are held upright. relay cannot say that to players, which show them as they are",
	"accept failed":                            "no encoder and no player can be taken over RTMP now: {error}",
	"accept":                                   "no connection can be taken now: {error}",
	"cannot begin to broadcast":                "what a browser films cannot be sent: {error}",
	"cannot be opened":                         "what comes on channel {channel} cannot be read with the secret of this link: {error}",
	"cannot read what is kept":                 "what is kept of channel {channel} cannot be read ({error}), so whoever asks for it gets nothing",
	"gossip":                                   "this node cannot talk to others of channel {channel} beside its parent ({error}), and finds them more slowly",
	"keep the secret of a channel":             "the channel's secret cannot be kept ({error}), so relay link will not know it after this run",
	"no lasting node key":                      "this node is a new one for this run, because its key cannot be used: {error}",
	"open a channel that a source has brought": "a source has brought channel {channel}, which cannot be opened: {error}",
	"remember the channel's epoch":             "what was seen of channel {channel} cannot be kept for the next run: {error}",
	"remember the channel's nodes":             "the nodes of channel {channel} cannot be kept for the next run: {error}",
	"stream lost, connecting again":            "the stream from {from} was lost ({error}); relay connects again",
	"the channel's key is used twice":          "",
	"the file ends in the middle of a tag":     "{file} ends in the middle of a frame, as if it had been cut off; all before that is sent",

	"the epoch of the last run cannot be read; going on without it":   "what the last run has kept of channel {channel} cannot be read, and this one goes on without it: {error}",
	"the nodes of the last run cannot be read; going on without them": "the nodes that the last run has kept of channel {channel} cannot be read, and this one goes on without them: {error}",
}

// sayingCore says the warnings of the log in a person's words. The log itself is for --verbose.
type sayingCore struct {
	zapcore.LevelEnabler
	t    *term.Terminal
	with []zapcore.Field
}

// With implements [zapcore.Core].
func (s *sayingCore) With(fields []zapcore.Field) zapcore.Core {
	return &sayingCore{s.LevelEnabler, s.t, append(s.with[:len(s.with):len(s.with)], fields...)}
}

// Check implements [zapcore.Core].
func (s *sayingCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if s.Enabled(e.Level) {
		return ce.AddCore(e, s)
	}
	return ce
}

// Write implements [zapcore.Core].
func (s *sayingCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if text := sentence(e.Message, append(s.with[:len(s.with):len(s.with)], fields...)); text != "" {
		s.t.Warn(text, "")
	}
	return nil
}

// Sync implements [zapcore.Core].
func (s *sayingCore) Sync() error { return nil }

// sentence is the warning of a message, "" for none. One that is not in the table says itself.
func sentence(message string, fields []zapcore.Field) string {
	text, ok := logged[message]
	if !ok {
		text = message
	}
	again := int64(0)
	for _, f := range fields {
		switch value, is := f.Interface.(error); {
		case is && f.Type == zapcore.ErrorType:
			if !ok {
				text += ": {error}"
			}
			text = strings.ReplaceAll(text, "{"+f.Key+"}", fault.Plain(value))
		case f.Type == zapcore.StringType:
			text = strings.ReplaceAll(text, "{"+f.Key+"}", f.String)
		case f.Key == againField:
			again = f.Integer
		}
	}
	if text != "" && again > 0 {
		return fmt.Sprintf("%s (and so %s more)", text, term.Plural(int(again), "time", "times"))
	}
	return text
}
