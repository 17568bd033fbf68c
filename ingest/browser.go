package ingest

import (
	"context"
	"errors"

	"relay/ingest/browser"
)

// OverBrowser lets pages begin sessions: it makes of open what [browser.Intake.Publish] wants. open refuses as
// [Input.Await] does.
func OverBrowser(open func(ctx context.Context) (*Session, error)) func(context.Context) (browser.Sink, error) {
	return func(ctx context.Context) (browser.Sink, error) {
		session, err := open(ctx)
		if errors.Is(err, ErrBusy) {
			return nil, browser.ErrBusy
		}
		if err != nil {
			return nil, err
		}
		return session, nil
	}
}
