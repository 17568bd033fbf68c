package words

import (
	"errors"
	"fmt"
	"sync"

	"relay/ingest/rtmp"
	"relay/ingest/srt"
	"relay/ingest/whip"
)

// Turned says of encoders that are turned away what [TurnedAway] says, each thing once until another encoder has
// been let in: who has mended a key may break it again. It is safe for concurrent use, and its zero value is ready.
type Turned struct{ said sync.Map } // sessions by the code of the warning

// Look returns the warning, and whether it is new. sessions is how many encoders were let in so far.
func (t *Turned) Look(why error, server string, sessions uint64) (w Warning, fresh bool) {
	w, ok := TurnedAway(why, server)
	if !ok {
		return w, false
	}
	was, said := t.said.Swap(w.Code, sessions)
	return w, !said || was != any(sessions)
}

// overSRT says what an encoder is to be given.
const overSRT = "paste the srt:// address that relay source printed when it started, as it is; in OBS as Server, with an empty Stream Key"

// TurnedAway says why the encoder of a source was not taken, to the person who can change it. It
// reports false for what that person can do nothing about, such as a stranger's noise. Anybody can
// provoke it, and a log keeps it, so it does not say the key.
func TurnedAway(why error, server string) (Warning, bool) {
	inOBS := "in OBS: Settings > Stream: Server " + server + ", and as Stream Key what relay source printed when it started"
	overWHIP := "in OBS: Settings > Stream: Service WHIP, Server " + server + ", and as Bearer Token the key that relay source printed when it started"
	codec, isCodec := errors.AsType[*whip.CodecError](why)
	switch {
	case errors.Is(why, srt.ErrDenied):
		return Warning{WarnWrongKey, "an encoder was turned away over SRT: its passphrase is not this channel's stream key. It was told so", overSRT}, true
	case errors.Is(why, srt.ErrPlain):
		return Warning{WarnWrongKey, "an encoder was turned away over SRT: it came without a passphrase. It was told that it needs one", overSRT}, true
	case errors.Is(why, srt.ErrBusy):
		return Warning{
			warnSecondEncoder, "a second encoder was turned away over SRT: another one is sending, and goes on. It was told so",
			"to go on with the second, stop the first (OBS: Stop Streaming). For a second channel, run a second relay source",
		}, true
	case errors.Is(why, whip.ErrDenied):
		return Warning{WarnWrongKey, fmt.Sprintf("an encoder was turned away: its bearer token is not this channel's stream key. It was told: %q", whip.ToldDenied), overWHIP}, true
	case errors.Is(why, whip.ErrBusy):
		return Warning{
			warnSecondEncoder, fmt.Sprintf("a second encoder was turned away: another one is sending, and goes on. It was told: %q", whip.ToldBusy),
			"to go on with the second, stop the first (OBS: Stop Streaming). For a second channel, run a second relay source",
		}, true
	case isCodec:
		return Warning{warnOffered, fmt.Sprintf("an encoder was turned away: it offers %s, of which nothing can be sent here", codec.Offered), "in OBS: Settings > Output: a video encoder of H.264, HEVC or AV1, and Opus for audio"}, true
	case errors.Is(why, whip.ErrUnreached):
		return Warning{warnUnreached, "an encoder with the right key never connected: its packets do not get here, or the answers not there", "let the port of " + server + " through the firewall, TCP and UDP. Where a router forwards it, name its address with --advertise"}, true
	case errors.Is(why, rtmp.ErrDenied):
		return Warning{WarnWrongKey, fmt.Sprintf("an encoder was turned away: its server or its stream key is not this channel's. It was told: %q", rtmp.ToldDenied), inOBS}, true
	case errors.Is(why, rtmp.ErrBusy):
		return Warning{
			warnSecondEncoder, fmt.Sprintf("a second encoder was turned away: another one is sending, and goes on. It was told: %q", rtmp.ToldBusy),
			"to go on with the second, stop the first (OBS: Stop Streaming). For a second channel, run a second relay source",
		}, true
	case errors.Is(why, rtmp.ErrTLS):
		return Warning{warnRTMPS, "an encoder was turned away: it came with RTMPS, which is not taken here. It was told nothing, and sees a connection that ends", inOBS}, true
	case errors.Is(why, rtmp.ErrHTTP):
		return Warning{warnNotRTMP, "somebody was turned away at the encoder's port: it speaks HTTP. It was told that this is no page", inOBS + ". The page for viewers has another address, which is above"}, true
	}
	return Warning{}, false
}
