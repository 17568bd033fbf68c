package ingest

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"relay/ingest/browser"
	"relay/ingest/whip"
)

// OverWHIP lets encoders that speak WHIP begin sessions: it makes of open what [whip.Endpoint.Publish] wants. open refuses
// as [Input.Await] does.
func OverWHIP(open func(ctx context.Context) (*Session, error)) func(context.Context) (whip.Sink, error) {
	return func(ctx context.Context) (whip.Sink, error) {
		session, err := open(ctx)
		if errors.Is(err, ErrBusy) {
			return nil, whip.ErrBusy
		}
		if err != nil {
			return nil, err
		}
		return session, nil
	}
}

// OverWebRTC answers pages of this machine that cannot encode by themselves, as [browser.Intake.Film] wants it; nil in a
// program that was built without WebRTC.
func OverWebRTC(log *zap.Logger) func(offer string, to browser.Sink) (browser.Call, error) {
	if !whip.Able {
		return nil
	}
	return func(offer string, to browser.Sink) (browser.Call, error) {
		call, err := whip.Film(offer, to, logger(log))
		if _, unfit := errors.AsType[*whip.CodecError](err); unfit {
			return nil, fmt.Errorf("%w: %w", browser.ErrUnfit, err)
		}
		if errors.Is(err, whip.ErrOffer) {
			return nil, fmt.Errorf("%w: %w", browser.ErrMalformed, err)
		}
		if err != nil {
			return nil, err
		}
		return call, nil
	}
}
