// The navigation: every page that the user has a use for, in groups.

import { IconBook2, IconExternalLink, IconFileCode, IconListDetails } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";
import { address } from "@/api/client";
import classes from "./Nav.module.css";
import { usePages } from "./pages";

/** What keymux serves beside the dashboard. */
const documents = [
  { name: "docs", path: "docs", icon: IconBook2 },
  { name: "redoc", path: "redoc", icon: IconListDetails },
  { name: "openapi", path: "openapi.json", icon: IconFileCode },
] as const;

const groups = ["watch", "access", "system", "build"] as const;

export function Nav() {
  const { t } = useTranslation();
  const shown = usePages();
  return (
    <nav aria-label={t("nav.label")} className={classes.nav}>
      {groups.map((group) => {
        const own = shown.filter((page) => page.group === group);
        if (own.length === 0 && group !== "build") return null;
        return (
          <div key={group}>
            <h2 className={classes.group}>{t(`nav.group.${group}`)}</h2>
            <ul className={classes.list}>
              {own.map(({ name, path, icon: Icon }) => (
                <li key={name}>
                  <NavLink to={path} end className={classes.link}>
                    <Icon size={18} stroke={1.7} aria-hidden />
                    {t(`nav.${name}`)}
                  </NavLink>
                </li>
              ))}
              {group === "build" &&
                documents.map(({ name, path, icon: Icon }) => (
                  <li key={name}>
                    <a href={address(path)} target="_blank" rel="noreferrer" className={classes.link}>
                      <Icon size={18} stroke={1.7} aria-hidden />
                      {t(`nav.${name}`)}
                      <IconExternalLink size={13} className={classes.external} aria-label={t("nav.newTab")} />
                    </a>
                  </li>
                ))}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}
