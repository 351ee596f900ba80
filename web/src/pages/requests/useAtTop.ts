// Whether somebody looks at the beginning of what scrolls: a table in its frame, or on a phone the page.

import { useWindowScroll } from "@mantine/hooks";
import { type UIEvent, useState } from "react";

const near = 12;
/** On a phone the list begins below the page's head. */
const nearOnPage = 220;

export function useAtTop() {
  const [isFrameAtTop, setIsFrameAtTop] = useState(true);
  const [{ y }] = useWindowScroll();
  const onScrollCapture = (event: UIEvent) => {
    const frame = event.target as HTMLElement;
    // A table that scrolls sideways only is still at its top.
    if (frame.matches("section")) setIsFrameAtTop(frame.scrollTop <= near);
  };
  return { isAtTop: isFrameAtTop && y <= nearOnPage, onScrollCapture };
}

/** Back to the beginning of the table in this element, and of the page. */
export function scrollToTop(within: HTMLElement | null) {
  within?.querySelector("section")?.scrollTo({ top: 0 });
  window.scrollTo({ top: 0 });
}
