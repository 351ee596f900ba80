// The name, and the way home.

import { Link } from "react-router";
import classes from "./Brand.module.css";

export function Brand() {
  return (
    <Link to="/" className={classes.brand}>
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="7" fill="#1b2430" />
        <g fill="none" stroke="#9ecbff" strokeWidth="3" strokeLinecap="round">
          <circle cx="10" cy="16" r="4.5" />
          <path d="M14.5 16H26M22 16v5" />
        </g>
      </svg>
      <span>keymux</span>
    </Link>
  );
}
