package words

import (
	"fmt"
	"time"

	"relay/cli/term"
	"relay/ingest"
	"relay/ingest/rtmp"
	"relay/playback/api"
	"relay/relay"
)

const (
	// keyframeWait is how long a live encoder may go without a keyframe before
	// something must be wrong with its settings.
	keyframeWait = 10 * time.Second
	// keyframeMost is how far apart keyframes may be before a person is told. A new viewer
	// waits for a keyframe, and so does one that has lost a chunk.
	keyframeMost = 4 * time.Second
	// encoderWait is how long a person may take to start the encoder before the
	// settings are repeated.
	encoderWait = 30 * time.Second
	// uploadSettles is how long the upload must have been too small before a person is told.
	// The bit rate is measured over some seconds, and an encoder begins with a burst.
	uploadSettles = 10 * time.Second
)

// Warning says what is wrong and what to do about it.
type Warning struct {
	Code string // stable, for programs
	Text string
	Hint string
}

// Event returns the warning as an event for programs.
func (w Warning) Event() api.Event {
	return api.Event{Type: api.EventWarning, Warning: &api.Warning{Code: w.Code, Text: term.Clean(w.Text), Hint: term.Clean(w.Hint)}}
}

// These are the codes of warnings. cli/design.md lists them for programs.
const (
	warnNoEncoder     = "no_encoder"
	WarnWrongKey      = "wrong_key"
	warnSecondEncoder = "second_encoder"
	warnRTMPS         = "rtmps"
	warnNotRTMP       = "not_rtmp"
	warnOffered       = "encoder_codec"
	warnUnreached     = "encoder_unreached"
	warnNoKeyframe    = "no_keyframe"
	warnKeyframes     = "keyframe_interval"
	warnUpload        = "upload"
	warnCodec         = "browser_codec"
	warnDropped       = "dropped_tags"
	WarnThrowaway     = "throwaway_key"
	WarnNotConnected  = "not_connected"
	WarnRecording     = "recording"
	warnClosed        = "closed"
	warnHelper        = "helper"
	warnOnlyHere      = "only_here"
	warnShown         = "secret_shown"
	warnForgotten     = "name_not_kept"
	warnAhead         = "begun_ahead"
	WarnNotFound      = "not_found"
)

// SourceView is what an adviser knows about a source.
type SourceView struct {
	Encoder    ingest.Status
	Started    bool   // there is something to watch
	BitRate    int    // bit/s; 0 if not known
	Upload     int    // --upload, bit/s; 0 if it was not given
	Slots      int    // how many children there may be
	FarSlots   int    // how many of those may be beyond this network
	Server     string // the address for the encoder; "" if the source waits for none
	Key        string
	Exposed    string // the encoder's port, if it is open to other machines
	ExposedUDP string // the UDP port for encoders over SRT, if it is open to other machines
}

// Adviser finds what a person should know about a source, and says each thing once.
// Its zero value is ready.
type Adviser struct {
	begun   time.Time
	session uint64
	since   time.Time // when that session began
	narrow  time.Time // since when the upload has been too small for anybody outside; zero if it is not
	said    map[string]bool
}

// Look returns the warnings that are new at the time now.
func (a *Adviser) Look(now time.Time, o SourceView) []Warning {
	if a.begun.IsZero() {
		a.begun, a.said = now, make(map[string]bool)
	}
	if o.Encoder.Sessions != a.session {
		a.session, a.since = o.Encoder.Sessions, now
		delete(a.said, warnNoKeyframe)
	}
	var all []Warning
	say := func(code, text, hint string) {
		if !a.said[code] {
			a.said[code] = true
			all = append(all, Warning{code, text, hint})
		}
	}
	enc := o.Encoder
	for _, f := range flawWords {
		if n := enc.Dropped[f.flaw]; n > 0 && !a.said[f.one] {
			a.said[f.one] = true
			all = append(all, Warning{warnDropped, "the encoder sends what no decoder can use, and it is left out: " + f.counted(n), f.hint})
		}
	}
	if o.Server != "" && enc.Sessions == 0 && now.Sub(a.begun) >= encoderWait {
		say(warnNoEncoder, fmt.Sprintf("no encoder has come for %.0f s", encoderWait.Seconds()), encoderHint(o))
	}
	if !enc.Live {
		a.narrow = time.Time{}
		return all
	}
	if enc.Info.HasVideo && !o.Started && now.Sub(a.since) > keyframeWait {
		say(warnNoKeyframe, "no keyframe has come yet, so nobody can start to watch", "set the keyframe interval to 2 s in the encoder. "+keyframeHint)
	}
	if enc.Keyless {
		say(warnKeyframes, "no keyframe has come for 20 s, so whoever starts to watch sees a broken picture at first", keyframeHint)
	}
	if enc.KeyInterval > keyframeMost {
		say(warnKeyframes, fmt.Sprintf("keyframes are %.1f s apart, and a viewer may wait that long for a picture", enc.KeyInterval.Seconds()), keyframeHint)
	}
	if text, hint := codecAdvice(enc.Info.VideoCodec, enc.Info.AudioCodec); text != "" {
		say(warnCodec, text, hint)
	}
	a.lookAtUpload(now, o, say)
	return all
}

const keyframeHint = `in OBS: Settings > Output > Output Mode "Advanced" > Streaming > Keyframe Interval = 2 s; with ffmpeg at 30 fps: -g 60`

// encoderHint repeats the encoder's settings, and names what may block the way.
func encoderHint(o SourceView) string {
	hint := fmt.Sprintf("in OBS: Settings > Stream > Service \"Custom...\", Server %s, Stream Key %s; then Start Streaming", o.Server, o.Key)
	if o.Exposed != "" {
		return hint + ". If it runs on another machine, a firewall here may block TCP port " + o.Exposed
	}
	if o.ExposedUDP != "" {
		return hint + ". Over SRT, a firewall here may block UDP port " + o.ExposedUDP
	}
	return hint + ". If it runs on another machine: relay source --rtmp :" + fmt.Sprint(rtmp.DefaultPort)
}

func (a *Adviser) lookAtUpload(now time.Time, o SourceView, say func(code, text, hint string)) {
	if o.Slots == 0 || o.FarSlots > 0 || o.BitRate == 0 {
		a.narrow = time.Time{}
		return
	}
	if a.narrow.IsZero() {
		a.narrow = now
	}
	if now.Sub(a.narrow) < uploadSettles {
		return
	}
	if o.Upload > 0 {
		most := float64(o.Upload) * relay.UploadShare
		say(warnUpload, fmt.Sprintf("--upload %s is too small for this stream of %s: nobody outside this network can be served", term.RateText(o.Upload), term.RateText(o.BitRate)),
			fmt.Sprintf("lower the bit rate in the encoder below %s (OBS: Settings > Output > Streaming > Bitrate), or give what the line carries if it is more", term.RateText(int(most))))
		return
	}
	say(warnUpload, fmt.Sprintf("the upload here does not carry this stream of %s even once: who is outside this network gets it late or not at all", term.RateText(o.BitRate)),
		"lower the bit rate in the encoder (OBS: Settings > Output > Streaming > Bitrate), or use a cable in place of Wi-Fi; --upload RATE tells relay what the line carries")
}

// These are the codecs that no browser decodes in a page, and those that only some browsers
// decode. All of today's browsers decode the others.
var (
	noBrowser   = map[string]bool{"vvc": true, "h263": true, "vp6": true, "vp6a": true, "flashsv": true, "flashsv2": true, "speex": true, "nellymoser": true, "adpcm": true, "pcm": true, "g711a": true, "g711u": true}
	fewBrowsers = map[string]bool{"hevc": true, "ac3": true, "eac3": true}
)

// codecAdvice says which of the codecs browsers cannot play, nothing if they play all.
func codecAdvice(video, audio string) (text, hint string) {
	for _, c := range []struct{ codec, hint string }{
		{video, "VLC and mpv can. For browsers, set the encoder to H.264 (OBS: Settings > Output > Streaming > Video Encoder)"},
		{audio, "VLC and mpv can. For browsers, set the encoder's audio to AAC or Opus"},
	} {
		switch {
		case noBrowser[c.codec]:
			return "no browser decodes " + codecName(c.codec), c.hint
		case fewBrowsers[c.codec]:
			return "most browsers cannot decode " + codecName(c.codec), c.hint
		}
	}
	return "", ""
}
