// root: interface-method type sink interface{ put(v any) }

package interface_boxing

type sink interface{ put(v any) }

type holder struct{ to sink }

func first(h *holder, n int) { h.to.put(n) } // held

func second(h *holder, s string) { h.to.put(s) } // held

func other(n int) any { return n }
