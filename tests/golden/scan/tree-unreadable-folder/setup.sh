#!/bin/sh
chmod 0 d
