package admin

import (
	"net/http"
	"net/http/pprof"
)

// handleProfiles answers what go tool pprof and go tool trace ask. Of what net/http/pprof has, the
// command line is left out: the stream's key may be in it.
func handleProfiles(mux *http.ServeMux) {
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
}
