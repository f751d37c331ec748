# docs: the man page and the completions of shells, made from the program's own tables and kept in the tree, so that a build for
# another machine installs them too. tests/docs.sh holds them to the program.
dist_man_MANS += %D%/pingate.1
bashcompdir = $(datadir)/bash-completion/completions
zshcompdir = $(datadir)/zsh/site-functions
fishcompdir = $(datadir)/fish/vendor_completions.d
dist_bashcomp_DATA = %D%/completions/pingate
dist_zshcomp_DATA = %D%/completions/_pingate
dist_fishcomp_DATA = %D%/completions/pingate.fish

man: pingate$(EXEEXT) ## the man page and the completions anew, from the program
	./pingate completion man >$(srcdir)/docs/pingate.1
	./pingate completion bash >$(srcdir)/docs/completions/pingate
	./pingate completion zsh >$(srcdir)/docs/completions/_pingate
	./pingate completion fish >$(srcdir)/docs/completions/pingate.fish
.PHONY: man
