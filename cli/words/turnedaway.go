package words

import (
	"errors"

	"relay/ingest/rtmp"
)

// TurnedAway says why the encoder of a source was not taken, to the person who can change it. It
// reports false for what that person can do nothing about, such as a stranger's noise. Anybody can
// provoke it, and a log keeps it, so it does not say the key.
func TurnedAway(why error, server string) (Warning, bool) {
	inOBS := "in OBS: Settings > Stream: Server " + server + ", and as Stream Key what relay source printed when it started"
	switch {
	case errors.Is(why, rtmp.ErrDenied):
		return Warning{WarnWrongKey, "an encoder was turned away: its server or its stream key is not this channel's", inOBS}, true
	case errors.Is(why, rtmp.ErrBusy):
		return Warning{
			warnSecondEncoder, "a second encoder was turned away: another one is sending",
			"to go on with the second, stop the first (OBS: Stop Streaming). For a second channel, run a second relay source",
		}, true
	case errors.Is(why, rtmp.ErrTLS):
		return Warning{warnRTMPS, "an encoder was turned away: it came with RTMPS, which is not taken here", inOBS}, true
	case errors.Is(why, rtmp.ErrHTTP):
		return Warning{warnNotRTMP, "somebody was turned away at the encoder's port: it speaks HTTP", inOBS + ". The page for viewers has another address, which is above"}, true
	}
	return Warning{}, false
}
